// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Synchronization
internal import WorkQueues

/// How far a story has come, whoever goes on with it.
final class Course: Sendable {
    private let value = Locked(0)
    var step: Int {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}

/// A short story in which a process dies at every one of its commits, one after the other.
extension QueueStory {
    /// Tells it for each commit, carried out or not, with leases that end by their time or because the store is opened
    /// again. In files it is always opened again, and a commit that is not carried out to its end may be in or not.
    ///
    /// - Returns: How many stories there were.
    /// - Throws: ``Violation``
    package static func dieEverywhere(parks: Bool, inFiles: Bool = false) throws(Violation) -> Int {
        var count = 0
        for commit in 1...1_000 {
            var ways = [(true, true), (true, false), (false, true), (false, false)]
            // Where in the commit the disk stops is drawn.
            if inFiles { ways += Array(repeating: (false, true), count: 8) }
            for (number, (applies, reopens)) in ways.enumerated() {
                let settings = QueueStorySettings(
                    parks: parks, maximumFailures: 1, maximumCrashes: 3, processes: 1, inFiles: inFiles)
                var story = QueueStory(settings, seed: UInt64(100 * commit + number))
                guard try story.die(atCommit: commit, applies: applies, reopens: reopens) else { return count }
                count += 1
            }
        }
        return count
    }

    /// `false` if the story was over before that commit.
    private mutating func die(atCommit commit: Int, applies: Bool, reopens: Bool) throws(Violation) -> Bool {
        startProcess()
        processes[0].link.die(afterCommits: commit, applies: applies)
        let course = Course()
        for _ in 0..<2 {
            walk(course)
            guard processes.allSatisfy({ !$0.link.isAlive }) else { break }
            // Files have been opened again by now.
            if !reopens { pass(settings.lease + .seconds(1)) } else if !settings.hasFiles { reopen() }
            replaceTheDead()
        }
        quietly { process in await process.look() }
        let hasDied = deaths > 0
        world.tell { model in
            let ends = model.items.map { "\($0.id) \($0.place)" }
            model.expect(
                ends == ["k1 evicted", "k2 done", "k3 done", "free done"], "the items end as \(ends)")
        }
        guard let violation else { return hasDied }
        let notes = world.tell { $0.notes ?? [] }.map { "    \($0)" }.joined(separator: "\n")
        throw Violation(
            description:
                "a death at commit \(commit), \(applies ? "in" : "not in"), the store is\(reopens ? "" : " not") opened "
                + "again: \(violation)\n\(notes)")
    }

    private mutating func walk(_ course: Course) {
        guard let process = processes.first else { return }
        start(process) { await process.walk(course) }
        for _ in 0..<400 {
            executor.runUntilIdle()
            open.removeAll { $0.pending.value != nil }
            if open.isEmpty || violation != nil || !process.link.isAlive { return }
            pass(.seconds(5))
        }
        world.tell { $0.accuse("the story does not come to its end") }
    }
}

extension QueueProcess {
    /// Goes on with the story where it stands.
    func walk(_ course: Course) async {
        while link.isAlive {
            let step = course.step
            let isOver: Bool
            switch step {
            case 0:
                await put(
                    ["k1", "k2", "k3"].map { NewWorkItem(id: $0, payload: Array($0.utf8), orderKey: "k") }
                        + [NewWorkItem(id: "free", payload: Array("free".utf8))])
                isOver = true
            case 1, 3: isOver = await work(failing: "k1")
            case 2:
                await runRedrive(toHandler: false)
                isOver = world.tell { $0.letters.isEmpty }
                if !isOver { await startRedrive(all: .perSecond(1_000)) }
            case 4:
                await evict("k1")
                await resume("k")
                isOver = world.tell { $0.letters.isEmpty }
            case 5: isOver = await work(failing: nil)
            default: return
            }
            guard link.isAlive else { return }
            if isOver { course.step = step + 1 } else { try? await world.clock.sleep(for: .seconds(1)) }
        }
    }

    /// Does what is due; whether nothing is left in the queue.
    private func work(failing name: String?) async -> Bool {
        await receive(limit: 10)
        for delivery in takeHands() {
            let fails = delivery.item.id == name
            await settle(delivery, fails ? .retry(delay: .zero, isPermanent: false) : .complete(effect: true))
        }
        return world.tell { $0.queue.isEmpty }
    }
}
