// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import DeadLetters
internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Retrying
internal import Synchronization
internal import WorkQueues

struct SimulatedFailure: Error {}
struct SimulatedPermanentFailure: Permanent {}
struct SimulatedRejection: Rejection { var retryAfter: Duration? }

/// A process of a story: producers, workers, operators and consumers of the queue, on a way to the store of its own.
final class QueueProcess: Sendable {
    private struct State {
        var hands: [Delivery] = []
        var settled: [Delivery] = []
    }

    let link: ProcessLink
    let world: QueueWorld
    let queue: WorkQueue
    private let state = Locked(State())

    init(_ number: Int, _ world: QueueWorld) {
        let link = ProcessLink(number)
        self.link = link
        self.world = world
        world.add(link)
        let settings = world.settings
        let records = WitnessedRecords(world: world, process: link)
        queue = WorkQueue(
            Names.name, store: world.bug?.wrap(records) ?? records, maximumFailures: settings.maximumFailures,
            maximumCrashes: settings.maximumCrashes, backoff: .constant(settings.backoff, jitter: .none),
            parksOrderKeys: settings.parks, clock: world.clock, randomness: .seeded(world.random.next()))
    }

    var handCount: Int { state.withLock { $0.hands.count } }
    var settledCount: Int { state.withLock { $0.settled.count } }

    func tell(_ body: (inout QueueModel) -> Void) {
        guard link.isAlive else { return }
        world.tell(body)
    }

    /// Whatever an act throws is told, and not thrown on.
    private func perform(_ what: String, _ body: () async throws -> Void) async {
        do { try await body() } catch {
            tell { $0.failed(Act.number, what, error) }
        }
    }

    // MARK: Putting and receiving

    func put(_ items: [NewWorkItem]) async {
        let act = Act.number
        world.tell { model in
            model.puts[act] = Dictionary(items.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        }
        let seen = world.tell { $0.names }
        await perform("putting") {
            let told = try await queue.enqueue(items)
            tell { $0.put(told, items, act, seen: seen) }
        }
    }

    /// Puts bytes that no queue ever wrote.
    func putDamaged(_ item: NewWorkItem) async {
        var item = item
        item.headers["damaged"] = "true"
        item.payload = [0, 1, 2]
        world.tell { [item] in $0.puts[Act.number] = [item.id: item] }
        await perform("damaging") {
            let content = RecordContent(
                state: "ready", body: item.payload, headers: item.headers, orderKey: item.orderKey,
                due: .after(item.delay))
            _ = try await queue.deadLetters.store.commit([
                .insert(RecordID(Names.queue, item.id), content), .assert(RecordID(Names.letters, item.id), nil),
                .assert(RecordID(Names.marks, item.id), nil),
            ])
        }
    }

    /// Puts a letter that comes from elsewhere.
    func putLetter(_ name: String) async {
        await perform("putting a letter") {
            let letter = NewDeadLetter(
                id: name, reason: .manual("simulated"), origin: DeadLetterOrigin(source: "elsewhere", id: name),
                payload: [])
            try await queue.deadLetters.put(letter)
        }
    }

    func receive(limit: Int) async {
        await perform("receiving") {
            for delivery in try await queue.receive(limit: limit, lease: world.settings.lease) {
                tell { $0.delivered(delivery.item, delivery.fence, to: link.number) }
                state.withLock { $0.hands.append(delivery) }
            }
        }
    }

    // MARK: Settling

    func drawIntent() -> QueueModel.Intent {
        switch world.draw(12) {
        case 0..<5: .complete(effect: world.draw(2) == 0)
        case 5..<8: .retry(delay: world.pick([.zero, .seconds(25)]), isPermanent: world.draw(6) == 0)
        case 8..<11: .release(delay: world.pick([.zero, .seconds(7)]))
        default: .deadLetter("rejectedByHandler", hasError: world.draw(2) == 0)
        }
    }

    /// What this process has in hand; it has it no more.
    func takeHands() -> [Delivery] {
        state.withLock { state in
            defer { state.hands = [] }
            return state.hands
        }
    }

    /// Settles an item that this process has, or had.
    func settle(again: Bool) async {
        let chosen = state.withLock { state -> Delivery? in
            let hands = again ? state.settled : state.hands
            guard !hands.isEmpty else { return nil }
            let index = world.draw(hands.count)
            return again ? state.settled.remove(at: index) : state.hands.remove(at: index)
        }
        guard let delivery = chosen else { return }
        await settle(delivery, drawIntent())
    }

    func settle(_ delivery: Delivery, _ drawn: QueueModel.Intent) async {
        // Who tries again after a failure of the store means the same.
        let intent = world.tell { model in
            let intent = model.hands[delivery.fence]?.intent ?? drawn
            model.intends(intent, with: delivery.fence)
            return intent
        }
        let result: Result<QueueModel.Outcome, any Error>
        do { result = .success(try await carryOut(intent, delivery)) } catch { result = .failure(error) }
        tell { $0.answered(delivery.fence, Act.number, result) }
        state.withLock { state in
            if case .failure(let error) = result, error is StoreError {
                state.hands.append(delivery)
            } else {
                state.settled.append(delivery)
            }
        }
    }

    private func carryOut(_ intent: QueueModel.Intent, _ delivery: Delivery) async throws -> QueueModel.Outcome {
        switch intent {
        case .complete(let hasEffect):
            try await delivery.complete(alsoCommit: hasEffect ? [effect(of: delivery.item)] : [])
            return .completed
        case .retry(let delay, let isPermanent):
            let error: any Error = isPermanent ? SimulatedPermanentFailure() : SimulatedFailure()
            return outcome(try await delivery.retry(after: error, delay: delay))
        case .release(let delay):
            try await delivery.release(after: delay)
            return .released
        case .deadLetter(let reason, let hasError):
            return outcome(
                try await delivery.deadLetter(DeadLetterReason(code: reason), hasError ? SimulatedFailure() : nil))
        }
    }

    private func outcome(_ fate: ItemFate) -> QueueModel.Outcome {
        switch fate {
        case .retries(let wait): .retried(after: wait)
        case .deadLettered(let reason): .deadLettered(reason.code)
        }
    }

    /// A record that comes with the completion of an item, and twice would be in its own way.
    func effect(of item: WorkItem) -> Change {
        .insert(RecordID(Names.effects, "\(item.position)"), RecordContent(state: "done"))
    }

    /// A change that never finds what it expects, beside a completion.
    func settleInConflict() async {
        guard let delivery = state.withLock({ $0.hands.isEmpty ? nil : $0.hands.removeFirst() }) else { return }
        let change = Change.assert(RecordID(Names.effects, "none"), Fence(rawValue: 1))
        let result: Result<QueueModel.Outcome, any Error>
        do {
            try await delivery.complete(alsoCommit: [change])
            result = .success(.completed)
        } catch { result = .failure(error) }
        tell { $0.answered(delivery.fence, Act.number, result) }
        state.withLock { $0.hands.append(delivery) }
    }

    func extend() async {
        guard case let hands = state.withLock({ $0.hands }), !hands.isEmpty else { return }
        let delivery = world.pick(hands)
        let act = Act.number
        do {
            let until = try await delivery.extend(by: world.settings.lease)
            let now = try await world.base.read([Names.task]).now
            tell { $0.extended(delivery.fence, act, until: until, now: now) }
        } catch let error as DeliveryLost {
            tell { $0.answered(delivery.fence, act, .failure(error)) }
        } catch {
            tell { $0.failed(act, "extending", error) }
        }
    }

    // MARK: Letters

    func evict(_ letter: String) async {
        let act = Act.number
        await perform("evicting") {
            let told =
                world.settings.parks && world.draw(4) != 0
                ? try await queue.evict(letter, because: "simulated")
                : try await queue.deadLetters.evict(letter, because: "simulated")
            tell { model in
                let isOut = model.items.contains { $0.evictedBy == act }
                model.expect(isOut == (told == .evicted), "\(letter) is \(told), as act \(act) was told, and is not")
            }
        }
    }

    func resume(_ key: String) async {
        await perform("resuming") { try await queue.resume(orderKey: key) }
    }

    /// Takes a letter, or does not.
    func handle(_ letter: DeadLetter) async throws {
        let act = Act.number
        await world.pause()
        let error: (any Error)? =
            switch world.draw(4) {
            case 0: SimulatedFailure()
            case 1: SimulatedRejection(retryAfter: nil)
            default: nil
            }
        let isCancelled = Task.isCancelled
        tell { model in
            guard let serial = model.letters[letter.id] else { return }
            if let error {
                model.items[serial].refused[act] = !(error is any Rejection) && !isCancelled
            } else {
                model.items[serial].taken.insert(act)
            }
        }
        if let error { throw error }
    }

    func redriveOne(_ letter: String) async {
        await perform("redriving one") {
            _ = try await queue.deadLetters.redrive(letter) { letter in try await self.handle(letter) }
        }
    }
}
