// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

/// A clock whose time passes only when nothing is left to do, and the one thread on which everything runs.
///
/// Tasks run here one job at a time, in the order in which they became ready. When none is ready, the clock jumps to
/// the earliest sleeper. So two minutes of ten thousand clients take seconds, and take the same course every time.
final class VirtualTime: TaskExecutor, Clock {
    /// Nanoseconds since the start; what is too far away to count is the last moment there is.
    struct Instant: InstantProtocol {
        var nanoseconds: Int64 = 0

        func advanced(by duration: Duration) -> Instant {
            Instant(nanoseconds: nanoseconds.addingSaturating(duration.nanosecondsRoundedDown))
        }

        func duration(to other: Instant) -> Duration {
            .nanoseconds(other.nanoseconds.subtractingSaturating(nanoseconds))
        }

        static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.nanoseconds < rhs.nanoseconds }
    }

    private struct State {
        var now = Instant()
        var jobs: [UnownedJob] = []
        var nextJob = 0
        var sleepers = Sleepers()

        mutating func takeJob() -> UnownedJob? {
            guard nextJob < jobs.count else {
                jobs.removeAll(keepingCapacity: true)
                nextJob = 0
                return nil
            }
            defer { nextJob += 1 }
            return jobs[nextJob]
        }
    }

    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }

    /// Suspends until the clock has come to the deadline; throws as soon as the task is cancelled.
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let number = state.withLock { $0.sleepers.newNumber() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: Sleepers.Continuation) in
                let sleeps = state.withLock { state in
                    guard deadline > state.now, !Task.isCancelled else { return false }
                    state.sleepers.add(number, until: deadline, continuation)
                    return true
                }
                if !sleeps { continuation.resume(with: Result { try Task.checkCancellation() }) }
            }
        } onCancel: {
            state.withLock { $0.sleepers.remove(number) }?.resume(throwing: CancellationError())
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    /// Runs until nothing is ready and nobody sleeps.
    func run() {
        while true {
            while let job = state.withLock({ $0.takeJob() }) {
                unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            }
            let sleeper = state.withLock { state in
                let earliest = state.sleepers.removeEarliest()
                if let earliest { state.now = max(state.now, earliest.deadline) }
                return earliest
            }
            guard let sleeper else { return }
            sleeper.continuation.resume()
        }
    }
}

/// Those who sleep, the earliest first; of the same moment the one that came first.
struct Sleepers {
    typealias Continuation = CheckedContinuation<Void, any Error>

    private struct Entry {
        let deadline: VirtualTime.Instant
        let number: Int

        static func < (lhs: Entry, rhs: Entry) -> Bool { (lhs.deadline, lhs.number) < (rhs.deadline, rhs.number) }
    }

    /// A binary heap; an entry whose sleeper was cancelled stays until it comes to the top.
    private var heap: [Entry] = []
    private var continuations: [Int: Continuation] = [:]
    private var count = 0

    mutating func newNumber() -> Int {
        count += 1
        return count
    }

    mutating func add(_ number: Int, until deadline: VirtualTime.Instant, _ continuation: Continuation) {
        continuations[number] = continuation
        heap.append(Entry(deadline: deadline, number: number))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func remove(_ number: Int) -> Continuation? { continuations.removeValue(forKey: number) }

    mutating func removeEarliest() -> (deadline: VirtualTime.Instant, continuation: Continuation)? {
        while let top = heap.first {
            let last = heap.removeLast()
            if !heap.isEmpty {
                heap[0] = last
                sink()
            }
            if let continuation = continuations.removeValue(forKey: top.number) { return (top.deadline, continuation) }
        }
        return nil
    }

    private mutating func sink() {
        var parent = 0
        while true {
            let children = (2 * parent + 1..<2 * parent + 3).clamped(to: 0..<heap.count)
            guard let least = children.min(by: { heap[$0] < heap[$1] }), heap[least] < heap[parent] else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
