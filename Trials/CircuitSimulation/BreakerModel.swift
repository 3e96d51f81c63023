// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CircuitBreaking

/// A circuit breaker in the slowest and most obvious form: lists of everything that happened, and whole fractions.
///
/// It shares no code with the breaker, has no lock and takes no short cut: every question is answered from the lists.
struct BreakerModel {
    struct Result {
        let at: Int
        let failed: Bool
        let slow: Bool
    }

    struct Probe {
        let number: Int
        let leaseUntil: Int
    }

    enum Phase {
        case closed
        case open(until: Int)
        case halfOpen(limit: Int?)
        case isolated(until: Int?)
        case disabled
        case metricsOnly
    }

    /// A call that runs.
    struct Call {
        let era: Int
        let startedAt: Int
        let isTimed: Bool
        /// `nil` if it is no probe.
        let probe: Int?
    }

    /// Something to be told, with the era it belongs to.
    struct Notice: Equatable {
        let era: Int
        let kind: CircuitEvent.Kind
    }

    var settings: ModelSettings
    var phase = Phase.closed
    var era = 1
    var now = 0
    /// All results since the breaker began to count, oldest first.
    var results: [Result] = []
    var places: [Probe] = []
    var probesStarted = 0
    var probeResults: [Result] = []
    /// What was counted when the phase began.
    var before = CircuitCounts()
    var reason: CircuitReason?
    var openings = 0
    var lastOpenTime = 0
    var lastUse = 0
    var rejected = 0
    var isBreached = false
    var disabledEras: Set<Int> = []
    var told: [Notice] = []
    /// The open times that the breaker drew, where it may draw; checked against what they may be.
    var drawn: [Int] = []

    init(_ settings: ModelSettings) { self.settings = settings }

    // MARK: What is counted

    /// The results in the window at the present time.
    var window: [Result] {
        switch settings.window {
        case .calls(let number): Array(results.suffix(number))
        case .time(let bucket, let buckets): results.filter { now / bucket - $0.at / bucket < buckets }
        }
    }

    /// How many of the latest results are failures; what no longer counts in a time window is no row.
    var row: Int {
        if window.isEmpty { return 0 }
        return results.reversed().prefix(while: \.failed).count
    }

    static func counts(_ results: [Result], row: Int) -> CircuitCounts {
        CircuitCounts(
            calls: results.count, failures: results.filter(\.failed).count, slowCalls: results.filter(\.slow).count,
            consecutiveFailures: row)
    }

    var counts: CircuitCounts {
        switch phase {
        case .closed, .metricsOnly: Self.counts(window, row: row)
        case .open, .isolated: before
        case .halfOpen: Self.counts(probeResults, row: probeResults.reversed().prefix(while: \.failed).count)
        case .disabled: CircuitCounts()
        }
    }

    var state: CircuitBreaker.State {
        switch phase {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        case .isolated: .isolated
        case .disabled: .disabled
        case .metricsOnly: .metricsOnly
        }
    }

    var minimum: Int {
        if case .calls(let number) = settings.window { min(number, settings.minimum) } else { settings.minimum }
    }

    var retryAfter: Int? {
        switch phase {
        case .open(let until): until > now ? until - now : nil
        case .isolated(let until): until.flatMap { $0 > now ? $0 - now : nil }
        case .closed, .halfOpen, .disabled, .metricsOnly: nil
        }
    }

    // MARK: Changes

    mutating func tell(_ kind: CircuitEvent.Kind) { told.append(Notice(era: era, kind: kind)) }

    mutating func change(to next: Phase, _ reason: CircuitReason, openFor: Int? = nil) {
        let (from, counted) = (state, counts)
        change(to: next, reason, from: from, counted: counted, openFor: openFor)
    }

    mutating func change(
        to next: Phase, _ reason: CircuitReason, from: CircuitBreaker.State, counted: CircuitCounts, openFor: Int?
    ) {
        phase = next
        era += 1
        self.reason = reason
        before = counted
        rejected = 0
        isBreached = false
        places = []
        probeResults = []
        probesStarted = 0
        switch next {
        case .closed, .metricsOnly:
            results = []
            openings = 0
        case .disabled: openings = 0
        case .open, .halfOpen, .isolated: break
        }
        tell(
            .changed(
                .init(
                    from: from, to: state, reason: reason, counts: counted,
                    openFor: openFor.map { .nanoseconds($0) })))
    }

    mutating func open(_ reason: CircuitReason, _ counted: CircuitCounts, advice: Int? = nil, at time: Int) {
        openings += 1
        if openings == 1 {
            lastOpenTime = settings.openFor
        } else if let growth = settings.growth {
            lastOpenTime = min(growth.maximum, max(settings.openFor, lastOpenTime * growth.factor))
        } else {
            lastOpenTime = settings.openFor
        }
        var length = advice ?? lastOpenTime
        if advice == nil, let growth = settings.growth, growth.jitter > 0, !drawn.isEmpty {
            // The breaker may leave out a part. What it drew is taken over if it is allowed, and shows up if not.
            let shortest = max(1, lastOpenTime - Int(Double(lastOpenTime) * growth.jitter))
            let length0 = drawn.removeFirst()
            if (shortest...max(shortest, lastOpenTime)).contains(length0) { length = length0 }
        }
        change(to: .open(until: time + length), reason, from: state, counted: counted, openFor: length)
    }

    /// Lets time bring about what it does by itself.
    mutating func pass() {
        if case .halfOpen(let limit?) = phase, now >= limit { open(.probesTimedOut, counts, at: limit) }
        guard let forgetAfter = settings.forgetAfter else { return }
        switch phase {
        case .closed, .metricsOnly:
            if case .calls = settings.window, now - lastUse >= forgetAfter { results = [] }
        case .halfOpen:
            if now - lastUse >= forgetAfter { change(to: .closed, .idle) }
        case .open(let until), .isolated(let until?):
            if now - max(lastUse, until) >= forgetAfter { change(to: .closed, .idle) }
        case .isolated(nil), .disabled: break
        }
    }
}
