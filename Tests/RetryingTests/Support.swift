// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Retrying
import Synchronization

/// An error of these tests: its number tells which attempt it came from.
protocol Numbered: Error {
    var number: Int { get }
}

/// An error after which nobody knows whether the operation took effect.
struct Unclear: Numbered {
    var number = 1
}

/// An error that proves that nothing took effect.
struct Unsent: Numbered, NotApplied {
    var number = 1
}

/// An error that leaves the outcome open and advises a wait.
struct Busy: Numbered, RetryAdvising {
    var number = 1
    var retryAfter: Duration?
}

/// A refusal by a guard that advises a wait.
struct Refused: Numbered, Rejection {
    var number = 1
    var retryAfter: Duration?
}

/// The kinds of failure that tables list.
enum Failure: Sendable {
    case unclear
    case unsent
    case busy(Duration?)
    case refused(Duration?)

    /// The error of this kind that the numbered attempt fails with.
    func error(_ number: Int) -> any Numbered {
        switch self {
        case .unclear: Unclear(number: number)
        case .unsent: Unsent(number: number)
        case .busy(let advice): Busy(number: number, retryAfter: advice)
        case .refused(let advice): Refused(number: number, retryAfter: advice)
        }
    }
}

/// A clock on which every sleep is over at once; it counts its readings and remembers the sleeps.
final class SkippingClock: Clock {
    typealias Instant = ContinuousClock.Instant

    private struct State {
        var now = ContinuousClock.now
        var readings = 0
        var sleeps: [Duration] = []
        var lateness = Duration.zero
    }

    private let state = Locked(State())
    private let whileAsleep: @Sendable () -> Void

    /// Makes a clock that calls `whileAsleep` in each sleep, and does not look for cancellation itself.
    init(whileAsleep: @escaping @Sendable () -> Void = {}) {
        self.whileAsleep = whileAsleep
    }

    var minimumResolution: Duration { .zero }
    var readings: Int { state.withLock { $0.readings } }
    var sleeps: [Duration] { state.withLock { $0.sleeps } }

    var now: Instant {
        state.withLock { state in
            state.readings += 1
            return state.now
        }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        state.withLock { state in
            state.sleeps.append(state.now.duration(to: deadline))
            state.now = max(state.now, deadline).advanced(by: state.lateness)
        }
        whileAsleep()
    }

    /// Lets time pass.
    func advance(by duration: Duration) {
        state.withLock { $0.now = $0.now.advanced(by: duration) }
    }

    /// How much too late sleeps end from now on.
    func wakesLate(by lateness: Duration) {
        state.withLock { $0.lateness = lateness }
    }
}

/// A clock on which every reading takes a nanosecond.
final class TickingClock: Clock {
    typealias Instant = ContinuousClock.Instant

    private let time = Locked(ContinuousClock.now)

    var minimumResolution: Duration { .nanoseconds(1) }

    var now: Instant {
        time.withLock { time in
            time = time.advanced(by: .nanoseconds(1))
            return time
        }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {}
}

/// Collects what `onEvent` hears.
final class Recorder<Event: Sendable>: Sendable {
    private let list = Locked<[Event]>([])

    var events: [Event] { list.withLock { $0 } }

    @Sendable func record(_ event: Event) {
        list.withLock { $0.append(event) }
    }
}

/// Cancels the task that calls it.
func cancelCurrentTask() {
    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
}
