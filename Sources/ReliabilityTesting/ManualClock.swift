// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

/// A clock that stands still until a test moves it, and that lets the test wait for those who sleep on it.
///
/// ```swift
/// let clock = ManualClock()
/// async let value = retry.run { try await flaky() }
/// await clock.waitForSleepers(1)      // the retry is in its back-off: no guess, no yielding loop
/// clock.advance(by: .seconds(1))
/// ```
///
/// Nothing depends on real time: a sleeper is registered before ``waitForSleepers(_:)`` can return, and
/// ``advance(by:)`` resumes every sleeper whose deadline has come, earliest first.
public final class ManualClock: Clock, Sendable {
    /// A point on a manual clock, as the time since the clock was made.
    public struct Instant: InstantProtocol {
        /// The time since the clock was made.
        public var offset: Duration

        /// A point at the given time since a clock was made.
        public init(offset: Duration) { self.offset = offset }

        /// The instant that is `duration` later.
        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        /// The time from this instant to `other`, negative if `other` is earlier.
        public func duration(to other: Instant) -> Duration { other.offset - offset }
        /// Whether `lhs` is before `rhs`.
        public static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.offset < rhs.offset }
    }

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        let count: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var now = Instant(offset: .zero)
        var nextID = 0
        var sleepers: [Int: Sleeper] = [:]
        var watchers: [Int: Watcher] = [:]
        /// Sleepers and watchers that were cancelled before they registered.
        var cancelledEarly: Set<Int> = []

        /// Takes out the watchers whose count of sleepers is reached.
        mutating func satisfiedWatchers() -> [Watcher] {
            let satisfied = watchers.filter { $0.value.count <= sleepers.count }
            for id in satisfied.keys { watchers[id] = nil }
            return Array(satisfied.values)
        }
    }

    private let state = Locked(State())

    /// Makes a clock that stands at zero.
    public init() {}

    /// The clock's present time, which only ``advance(by:)`` and ``set(to:)`` change.
    public var now: Instant { state.withLock { $0.now } }

    /// A manual clock has no smallest step; sleeps end exactly at their deadline.
    public var minimumResolution: Duration { .zero }

    /// How many tasks sleep on this clock now.
    public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// How far the clock has to move for the next sleeper to wake; `nil` if nobody sleeps.
    public var nextWake: Duration? {
        state.withLock { state in
            state.sleepers.values.map(\.deadline).min().map { state.now.duration(to: $0) }
        }
    }

    /// Suspends until the clock has been moved to `deadline`; returns at once if it is there already.
    ///
    /// - Throws: `CancellationError` as soon as the calling task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = newID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                register(Sleeper(deadline: deadline, continuation: continuation), as: id)
            }
        } onCancel: {
            cancel(id)
        }
        // A cancellation that came after the wake-up found nobody.
        state.withLock { _ = $0.cancelledEarly.remove(id) }
    }

    private func newID() -> Int {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    private func register(_ sleeper: Sleeper, as id: Int) {
        enum Next {
            case wait([Watcher])
            case wake
            case fail
        }
        let next = state.withLock { state -> Next in
            if state.cancelledEarly.remove(id) != nil { return .fail }
            if sleeper.deadline <= state.now { return .wake }
            state.sleepers[id] = sleeper
            return .wait(state.satisfiedWatchers())
        }
        switch next {
        case .wait(let watchers): for watcher in watchers { watcher.continuation.resume() }
        case .wake: sleeper.continuation.resume()
        case .fail: sleeper.continuation.resume(throwing: CancellationError())
        }
    }

    private func cancel(_ id: Int) {
        let sleeper = state.withLock { state -> Sleeper? in
            guard let sleeper = state.sleepers.removeValue(forKey: id) else {
                state.cancelledEarly.insert(id)
                return nil
            }
            return sleeper
        }
        sleeper?.continuation.resume(throwing: CancellationError())
    }

    /// Suspends until at least `count` tasks sleep on this clock at the same time.
    ///
    /// This is how a test knows that its subject has reached its wait. A test in which too few tasks go to sleep waits
    /// here until its task is cancelled, and then goes on though they do not sleep; so give such tests a time limit.
    public func waitForSleepers(_ count: Int = 1) async {
        let id = newID()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state -> Bool in
                    if state.cancelledEarly.remove(id) != nil || state.sleepers.count >= count { return true }
                    state.watchers[id] = Watcher(count: count, continuation: continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let watcher = state.withLock { state -> Watcher? in
                guard let watcher = state.watchers.removeValue(forKey: id) else {
                    state.cancelledEarly.insert(id)
                    return nil
                }
                return watcher
            }
            watcher?.continuation.resume()
        }
        // A cancellation that came after the end found nobody.
        state.withLock { _ = $0.cancelledEarly.remove(id) }
    }

    /// Moves the clock forward and wakes those whose deadline has come, earliest first.
    ///
    /// Every woken task reads the new time, which may be later than its own deadline and is never earlier.
    public func advance(by duration: Duration) {
        precondition(duration >= .zero, "A manual clock advances by at least zero, not by \(duration)")
        move { $0.advanced(by: duration) }
    }

    /// Moves the clock to an instant, which may lie before its present one: to test what a stepping clock does.
    public func set(to instant: Instant) {
        move { _ in instant }
    }

    private func move(_ next: (Instant) -> Instant) {
        let due = state.withLock { state -> [Sleeper] in
            let instant = next(state.now)
            state.now = instant
            let due = state.sleepers.filter { $0.value.deadline <= instant }
            for id in due.keys { state.sleepers[id] = nil }
            return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }.map(\.value)
        }
        for sleeper in due { sleeper.continuation.resume() }
    }
}
