// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Stops calling a neighbour that fails, and finds out by a few probes when it is well again.
///
/// ```swift
/// let breaker = CircuitBreaker(name: "provider")
/// let receipt = try await breaker.run { try await provider.charge(order) }
/// ```
///
/// A breaker is *closed* at first: calls pass, and the results of the last of them are kept. When the share of failures
/// reaches the threshold it is *open* for a time: calls are refused with ``CircuitOpen`` and cost next to nothing. The
/// first call at or after the end of that time finds it *half-open*: a few calls pass as probes. As soon as the rest of
/// the probes could not change the verdict, the breaker closes with an empty window, or opens again for the same time.
/// (The pattern is Michael Nygard's, "Release It!", 2007.)
///
/// | Result of a call | Counts as |
/// | --- | --- |
/// | a value | success |
/// | an error | failure |
/// | an error that `isFailure` says no to | success: the neighbour answered |
/// | a `Rejection` from a policy inside | nothing: the neighbour was not asked |
/// | `CancellationError` of a cancelled task | nothing: it says nothing of the neighbour |
/// | any result of a call that began before the last change of state | nothing: it tells of a past already judged |
///
/// Any result that brings the rate to the threshold opens the breaker. That can be a success: the one that completes
/// ``Configuration/minimumCalls``.
///
/// ``run(_:)`` serves most code. ``acquire()`` hands out a ``CircuitPermit`` where the call and its result are in
/// different places. A closed breaker reads no clock and takes one lock a call, for a constant time; a refusal
/// allocates nothing but the error that is thrown. One breaker serves any number of concurrent calls.
public final class CircuitBreaker: Policy {
    /// The name that errors, events and ``summary`` carry.
    public let name: String
    /// When the breaker opens, for how long, and what closes it.
    public let configuration: Configuration

    private let isFailure: (@Sendable (any Error) -> Bool)?
    private let time: TimeSource
    private let onEvent: (@Sendable (CircuitEvent) -> Void)?
    private let guarded: Locked<Guarded>
    /// A copy of the core's `closedGeneration`, written under the lock.
    ///
    /// A call may read it just before the breaker opens; it then belongs to the old generation and its result is not
    /// counted. Nothing else is published through this word, so its order against other memory does not matter.
    private let closedGeneration: Atomic<UInt64>

    /// What the lock protects.
    private struct Guarded {
        var core: CircuitBreakerState
        /// Changes that were made and not yet reported, oldest first.
        var unreported: [CircuitEvent] = []
        /// Whether a call is reporting changes at the moment.
        var isReporting = false
    }

    /// Makes a closed breaker.
    ///
    /// - Parameters:
    ///   - name: What errors and events call it, usually the neighbour's name.
    ///   - configuration: When it opens, for how long, and what closes it.
    ///   - isFailure: Whether an error speaks against the neighbour; `nil` takes every error for a failure. It is not
    ///     asked about rejections and cancellation. It runs in the caller's task, outside the lock.
    ///   - clock: What measures how long the breaker has been open.
    ///   - onEvent: Hears of changes, refusals and dropped permits, outside the lock; see ``CircuitEvent``.
    public init(
        name: String, configuration: Configuration = Configuration(),
        isFailure: (@Sendable (any Error) -> Bool)? = nil, clock: any Clock<Duration> = ContinuousClock(),
        onEvent: (@Sendable (CircuitEvent) -> Void)? = nil
    ) {
        self.name = name
        self.configuration = configuration
        self.isFailure = isFailure
        time = TimeSource(clock)
        self.onEvent = onEvent
        let core = CircuitBreakerState(configuration)
        closedGeneration = Atomic(core.closedGeneration)
        guarded = Locked(Guarded(core: core))
    }

    /// Runs the operation if the breaker lets it pass, and counts its result.
    ///
    /// - Throws: what the operation throws, or ``CircuitOpen`` without running it.
    @inlinable
    public func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
        let generation = try admit()
        do {
            let value = try await operation()
            settle(.success, of: generation)
            return value
        } catch {
            settle(outcome(of: error), of: generation)
            throw error
        }
    }

    /// Takes the permit for one call, to be settled with its result.
    @inlinable
    public func acquire() throws(CircuitOpen) -> CircuitPermit {
        CircuitPermit(self, generation: try admit())
    }

    /// What the breaker does with calls now. Looking changes nothing.
    public var state: State { snapshot.state }

    /// What the breaker has counted. Looking changes nothing.
    public var snapshot: Snapshot { guarded.withLock { $0.core.snapshot } }

    /// The name and the settings in one line.
    public var summary: String {
        let settings = configuration
        return "CircuitBreaker(\(name)): opens for \(settings.openFor) at a failure rate of "
            + "\(settings.failureRateThreshold) over \(settings.window) calls (at least \(settings.minimumCalls)), "
            + "\(settings.halfOpenProbes) probes"
    }

    @usableFromInline
    func outcome(of error: any Error) -> CallOutcome {
        if error is any Rejection || (error is CancellationError && Task.isCancelled) { return .ignored }
        return isFailure?(error) ?? true ? .failure : .success
    }

    @usableFromInline
    func admit() throws(CircuitOpen) -> UInt64 {
        let generation = closedGeneration.load(ordering: .relaxed)
        return generation != 0 ? generation : try admitUnlessClosed()
    }

    @inline(never)
    private func admitUnlessClosed() throws(CircuitOpen) -> UInt64 {
        let now = time.now()
        let (admission, generation, mustReport) = guarded.withLock { guarded in
            let admission = guarded.core.admit(now: now)
            var mustReport = false
            if case .admitted(_, let change?) = admission { mustReport = publish(change, &guarded) }
            return (admission, guarded.core.generation, mustReport)
        }
        if mustReport { reportChanges() }
        switch admission {
        case .admitted(let generation, _):
            return generation
        case .refused(let nanoseconds):
            let retryAfter = nanoseconds.map { Duration.nanoseconds($0) }
            onEvent?(CircuitEvent(name: name, generation: generation, kind: .rejected(retryAfter: retryAfter)))
            throw CircuitOpen(name: name, retryAfter: retryAfter)
        }
    }

    /// Counts the result of a call that was admitted in `generation`.
    @usableFromInline
    func settle(_ outcome: CallOutcome, of generation: UInt64) {
        let mustReport = guarded.withLock { guarded in
            guard let change = guarded.core.settle(outcome, of: generation, now: time.now()) else { return false }
            return publish(change, &guarded)
        }
        if mustReport { reportChanges() }
    }

    /// Gives back the permit of a call of which nobody said how it ended.
    @usableFromInline
    func settleDropped(_ generation: UInt64) {
        settle(.ignored, of: generation)
        onEvent?(CircuitEvent(name: name, generation: generation, kind: .permitDropped))
    }

    /// Makes a change visible and queues its event; returns whether the caller must report it. Requires the lock.
    private func publish(_ change: CircuitEvent.Kind, _ guarded: inout Guarded) -> Bool {
        closedGeneration.store(guarded.core.closedGeneration, ordering: .relaxed)
        guard onEvent != nil else { return false }
        guarded.unreported.append(CircuitEvent(name: name, generation: guarded.core.generation, kind: change))
        defer { guarded.isReporting = true }
        return !guarded.isReporting
    }

    /// Reports changes until none is left. One call does so at a time, which keeps them in order.
    private func reportChanges() {
        while let event = guarded.withLock({ guarded -> CircuitEvent? in
            guarded.isReporting = !guarded.unreported.isEmpty
            return guarded.isReporting ? guarded.unreported.removeFirst() : nil
        }) {
            onEvent?(event)
        }
    }
}
