// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import CircuitBreaking
import ReliabilityCore
import ReliabilityTesting
import Synchronization

struct Broken: Error {}

/// A proper answer of the neighbour that is thrown as an error.
struct Declined: Error {}

/// A refusal by a guard inside the breaker.
struct Refused: Rejection {
    var retryAfter: Duration? { nil }
}

/// A request that nobody can carry out.
struct Senseless: Permanent {}

/// An answer that says when to come back.
struct Overloaded: RetryAdvising {
    var retryAfter: Duration?
}

/// Collects what `onEvent` hears.
final class Recorder: Sendable {
    private let list = Locked<[CircuitEvent]>([])

    var events: [CircuitEvent] { list.withLock { $0 } }
    var kinds: [CircuitEvent.Kind] { events.map(\.kind) }
    var changes: [CircuitChange] { kinds.compactMap { if case .changed(let change) = $0 { change } else { nil } } }

    @Sendable func record(_ event: CircuitEvent) {
        list.withLock { $0.append(event) }
    }
}

/// A clock that counts its readings and cannot be slept on.
final class CountingClock: Clock {
    typealias Instant = ManualClock.Instant
    private let count = Locked(0)

    var readings: Int { count.withLock { $0 } }
    var minimumResolution: Duration { .zero }
    var now: Instant {
        count.withLock { $0 += 1 }
        return Instant(offset: .zero)
    }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws { throw CancellationError() }
}

/// A breaker on a clock of its own, with what it told, for tables of calls.
struct Story {
    let clock = ManualClock()
    let recorder = Recorder()
    let breaker: CircuitBreaker

    init(_ configuration: CircuitBreaker.Configuration) {
        breaker = CircuitBreaker(
            name: "provider", configuration: configuration, clock: clock, onEvent: recorder.record)
    }

    var snapshot: CircuitBreaker.Snapshot { breaker.snapshot }
    var state: CircuitBreaker.State { breaker.state }
    var counts: CircuitCounts { breaker.snapshot.counts }
    /// Why it changed, each time.
    var reasons: [CircuitReason] { recorder.changes.map(\.reason) }

    func advance(_ seconds: Double) { clock.advance(by: .nanoseconds(Int64((seconds * 1e9).rounded()))) }

    /// Moves the clock to so many seconds after the start.
    func go(to seconds: Double) { clock.set(to: .init(offset: .seconds(seconds))) }

    /// Makes a call for every letter: Success, Failure, or an ignored one (X). Returns how many passed.
    @discardableResult func call(_ outcomes: String) -> Int {
        outcomes.count { letter in
            guard let permit = try? breaker.acquire().detach() else { return false }
            return letter == "S" ? permit.succeed() : letter == "F" ? permit.fail() : permit.ignore()
        }
    }

    /// Makes a call that takes so many seconds.
    func call(_ outcome: CircuitVerdict = .success, taking seconds: Double) {
        guard let permit = try? breaker.acquire().detach() else { return }
        advance(seconds)
        permit.settle(outcome)
    }
}
