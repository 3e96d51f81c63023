// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The probes of one half-open generation.
struct ProbeRound: Sendable {
    private struct Place {
        let probe: UInt64
        let leaseUntil: Int64
    }

    private var places: [Place] = []
    private var lastProbe: UInt64 = 0
    /// The results so far.
    private(set) var counts = CircuitCounts()

    /// How many probes have a place.
    var running: Int { places.count }

    /// What became of a call that wants a place.
    enum Answer {
        /// It is the probe with this number. With `expired`, another one lost its place to it.
        case probe(UInt64, expired: Bool)
        /// No place is free.
        case full
    }

    /// Forgets the round before.
    mutating func begin() {
        places.removeAll(keepingCapacity: true)
        lastProbe = 0
        counts = CircuitCounts()
    }

    /// Gives a place to a call: a free one, or else that of the probe whose lease ended first, if one has.
    mutating func admit(now: Int64, _ rules: CircuitRules) -> Answer {
        let isFull = places.count >= min(rules.concurrency, rules.probes - counts.calls)
        if isFull {
            guard let oldest = places.indices.min(by: { places[$0].leaseUntil < places[$1].leaseUntil }),
                places[oldest].leaseUntil <= now
            else { return .full }
            places.remove(at: oldest)
        }
        lastProbe += 1
        places.append(Place(probe: lastProbe, leaseUntil: now.addingSaturating(rules.lease)))
        return .probe(lastProbe, expired: isFull)
    }

    /// Frees the place of a probe, if it still has one.
    mutating func release(_ probe: UInt64) {
        places.removeAll { $0.probe == probe }
    }

    /// Counts a result.
    mutating func record(failed: Bool, slow: Bool) {
        counts.calls += 1
        counts.failures += failed ? 1 : 0
        counts.slowCalls += slow ? 1 : 0
        counts.consecutiveFailures = failed ? counts.consecutiveFailures + 1 : 0
    }

    /// What no result that is missing could change any more; `nil` while one could.
    func verdict(_ rules: CircuitRules) -> CircuitReason? {
        let missing = max(0, rules.probes - counts.calls)
        if counts.failures > rules.probes - rules.successes { return .probesFailed }
        let isSlow = { (slowCalls: Int) in rules.slowShare?.isReached(by: slowCalls, of: rules.probes) ?? false }
        if isSlow(counts.slowCalls) { return .probesSlow }
        guard counts.successes >= rules.successes, !isSlow(counts.slowCalls + missing) else { return nil }
        return .probesSucceeded
    }
}
