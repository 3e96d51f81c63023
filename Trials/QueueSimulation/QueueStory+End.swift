// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import DeadLetters
internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import WorkQueues

/// How a story ends: everything comes to rest, everything is looked at, and then everything that stands is done.
extension QueueStory {
    /// Lets every act come to its end. None may wait for something that never comes.
    mutating func comeToRest() {
        world.calmDown()
        for process in processes { process.link.live() }
        for each in consumers { each.consumer.shutDown() }
        consumers = []
        for round in 0..<400 {
            world.openGates()
            executor.runUntilIdle()
            open.removeAll { $0.pending.value != nil }
            if open.isEmpty { break }
            if violation != nil { return }
            // A redrive that goes slowly has been seen for long enough.
            if round == 200, let process = processes.first { start(process) { await process.cancelRedrive() } }
            pass(.seconds(5))
        }
        if !open.isEmpty { world.tell { $0.accuse("\(open.count) acts never end") } }
        replaceTheDead()
    }

    /// Runs an act to its end when all is quiet.
    mutating func quietly(_ body: @escaping @Sendable (QueueProcess) async -> Void) {
        guard let process = processes.first else { return }
        start(process) { await body(process) }
        for _ in 0..<2_000 {
            executor.runUntilIdle()
            open.removeAll { $0.pending.value != nil }
            if open.isEmpty || violation != nil { return }
            pass(.seconds(5))
        }
        world.tell { $0.accuse("an act never ends although all is quiet") }
    }

    /// Brings everything to its end, over and over, until nothing is left.
    mutating func finish() {
        quietly { process in await process.checkRedrive(isCertain: true) }
        look()
        for _ in 0..<60 {
            if violation != nil { return }
            quietly { process in await process.finishItems() }
            let isEmpty = world.tell { $0.queue.isEmpty && $0.letters.isEmpty }
            if isEmpty { break }
            quietly { process in await process.cancelRedrive() }
            pass(.seconds(31))
            quietly { process in
                // What somebody wished of one whose process is gone is done by whoever runs it next.
                await process.runRedrive(toHandler: false)
                await process.redriveAll()
            }
        }
        look()
        world.tell { model in
            guard model.violation == nil else { return }
            let standing = model.queue.keys.sorted() + model.letters.keys.sorted()
            model.expect(standing.isEmpty, "\(standing) are there and cannot be brought to their end")
            let parked = model.parked.filter { $0.value.letters > 0 }.keys.sorted()
            model.expect(parked.isEmpty, "the keys \(parked) are still parked")
            let lost = model.items.filter { $0.place == .queued || $0.place == .letter }
            model.expect(lost.isEmpty, "\(lost.map(\.id)) are in no place")
        }
    }

    /// Everything stands where the model says, once, and nowhere else.
    private mutating func look() {
        quietly { process in await process.look() }
    }
}

extension QueueProcess {
    /// Does what is due, and says that it is done.
    func finishItems() async {
        do {
            while case let deliveries = try await queue.receive(limit: 10, lease: world.settings.lease),
                !deliveries.isEmpty
            {
                for delivery in deliveries {
                    tell { $0.delivered(delivery.item, delivery.fence, to: link.number) }
                    tell { $0.intends(.complete(effect: false), with: delivery.fence) }
                    try await delivery.complete()
                    tell { $0.answered(delivery.fence, Act.number, .success(.completed)) }
                }
            }
        } catch {
            tell { $0.failed(Act.number, "finishing", error) }
        }
    }

    /// Brings all letters back.
    func redriveAll() async {
        let pace = Pace.perSecond(1_000)
        world.tell { $0.starts[Act.number] = pace }
        do {
            let redrive = Redrive(queue.deadLetters, to: .queue(queue), clock: world.clock)
            try await redrive.start(RedrivePlan(rate: pace))
            let progress = try await redrive.run()
            tell { model in
                let moved = model.task?.moved
                model.expect(
                    progress?.state == .done && progress?.redriven == moved,
                    "\(moved ?? 0) letters have come back, and the redrive says \(progress.map { "\($0)" } ?? "nothing")"
                )
            }
        } catch {
            tell { $0.accuse("a redrive fails although all is quiet: \(error)") }
        }
    }

    func look() async {
        do {
            let records = try await [Names.queue, Names.letters, Names.evicted, Names.parked, Names.effects]
                .asyncMap { try await world.base.scan($0, state: nil, after: nil, limit: 1_000).records }
            let letters = try await queue.deadLetters.list(.all, limit: 1_000)
            let statistics = try await queue.statistics()
            tell { model in
                model.expect(records[0].map(\.id.key).sorted() == model.queue.keys.sorted(), "the queue is another")
                model.expect(records[1].map(\.id.key).sorted() == model.letters.keys.sorted(), "the letters are others")
                let parked = model.parked.filter { $0.value.letters > 0 }.keys.sorted()
                model.expect(
                    records[3].filter { $0.state == "parked" }.map(\.id.key).sorted() == parked, "other keys are parked"
                )
                model.expect(records[2].count == model.items.count { $0.place == .evicted }, "not all evicted are kept")
                model.expect(records[4].count == model.effects.count, "not all effects are kept")
                model.expect(statistics.depth == model.queue.count, "the queue counts \(statistics.depth) items")
                model.expect(letters.unreadable.isEmpty, "letters cannot be read")
                for letter in letters.letters { model.check(letter) }
            }
        } catch {
            tell { $0.accuse("the store does not answer when all is quiet: \(error)") }
        }
    }
}

extension QueueModel {
    fileprivate mutating func check(_ letter: DeadLetter) {
        guard let serial = letters[letter.id] else { return accuse("the letter \(letter.id) comes from nowhere") }
        let item = items[serial]
        expect(letter.reason.code == item.reason, "\(letter.id) is a letter for another reason")
        expect(letter.failures.count == item.counts.history, "\(letter.id) tells of \(letter.failures.count) failures")
        expect(letter.origin.id == item.id && letter.origin.orderKey == item.key, "\(letter.id) comes from elsewhere")
    }
}

extension Array {
    fileprivate func asyncMap<Other>(_ transform: (Element) async throws -> Other) async rethrows -> [Other] {
        var others: [Other] = []
        for element in self { others.append(try await transform(element)) }
        return others
    }
}
