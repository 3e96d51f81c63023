// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension CircuitBreakers {
    /// The keys that fail far more often than the others: the worst first.
    ///
    /// ```swift
    /// for host in breakers.outliers() { breakers.breaker(for: host).isolate(for: .seconds(30)) }
    /// ```
    ///
    /// A breaker judges its key by itself; this compares. Of the closed breakers that have counted at least
    /// `minimumCalls`, those are outliers whose success rate is below the mean by more than `factor` standard
    /// deviations. If there are fewer than `minimumKeys` of them, nothing can be said and there are none.
    ///
    /// No more are named than bring the share of breakers that refuse calls, be they open, half-open or isolated, to
    /// `maximumShare`: when everything fails, it is not the hosts. Where that is less than one breaker, one is named as
    /// long as none refuses calls. (The method and its numbers are those of Envoy's outlier detection by success rate,
    /// which always ejects a first host, too.)
    ///
    /// With success rates of 100, 100, 100, 100 and 50 %, the mean is 90, the standard deviation 20, and the threshold
    /// 90 - 1.9 × 20 = 52: the last is an outlier.
    ///
    /// - Parameters:
    ///   - factor: How many standard deviations; by default 1.9.
    ///   - minimumKeys: How many keys must have counted enough; by default 5.
    ///   - minimumCalls: How many results a breaker must have; by default 100.
    ///   - maximumShare: The share of all breakers, 0 to 1, that may refuse calls or be named here; by default 0.1.
    public func outliers(
        factor: Double = 1.9, minimumKeys: Int = 5, minimumCalls: Int = 100, maximumShare: Double = 0.1
    ) -> [Key] {
        precondition((0...1).contains(maximumShare), "A share is from 0 to 1, not \(maximumShare)")
        let snapshots = snapshots()
        let rates = snapshots.compactMap { key, snapshot -> (key: Key, rate: Double)? in
            guard snapshot.state == .closed, snapshot.counts.calls >= max(1, minimumCalls) else { return nil }
            return (key, Double(snapshot.counts.successes) / Double(snapshot.counts.calls))
        }
        guard rates.count >= minimumKeys, !rates.isEmpty else { return [] }
        let mean = rates.reduce(0) { $0 + $1.rate } / Double(rates.count)
        let variance = rates.reduce(0) { $0 + ($1.rate - mean) * ($1.rate - mean) } / Double(rates.count)
        let threshold = mean - factor * variance.squareRoot()
        let refusing = snapshots.count { [.open, .halfOpen, .isolated].contains($0.value.state) }
        let room = max(1, Int(maximumShare * Double(snapshots.count))) - refusing
        return rates.filter { $0.rate < threshold }.sorted { $0.rate < $1.rate }.prefix(max(0, room)).map(\.key)
    }
}
