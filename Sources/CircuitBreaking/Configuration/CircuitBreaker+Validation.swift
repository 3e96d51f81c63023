// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A setting of a circuit breaker that makes no sense.
public struct InvalidCircuitConfiguration: Error, Hashable, CustomStringConvertible {
    /// The setting, as the path of its property: `probes.count`.
    public let setting: String
    /// The value that it has.
    public let value: String
    /// The values that it may have.
    public let allowed: String

    /// The setting, its value and what it may be, in a line.
    public var description: String { "\(setting) is \(allowed), not \(value)" }
}

extension CircuitBreaker.Configuration {
    private static let windowCalls = 1...1_000_000
    private static let buckets = 1...1_000
    private static let probeCounts = 1...1_000
    private static let shares = "above 0 and at most 1"

    /// Checks every value: for those that come from a file, before a breaker is made of them.
    ///
    /// - Throws: ``InvalidCircuitConfiguration`` for the first value that makes no sense.
    public func validate() throws(InvalidCircuitConfiguration) {
        func check(
            _ setting: String, _ isRight: Bool, _ value: Any, _ allowed: String
        )
            throws(InvalidCircuitConfiguration)
        {
            if !isRight {
                throw InvalidCircuitConfiguration(setting: setting, value: "\(value)", allowed: allowed)
            }
        }
        func check(_ setting: String, share: Double?) throws(InvalidCircuitConfiguration) {
            guard let share else { return }
            try check(setting, share > 0 && share <= 1, share, Self.shares)
        }
        func check(_ setting: String, positive duration: Duration?) throws(InvalidCircuitConfiguration) {
            guard let duration else { return }
            try check(setting, duration > .zero, duration, "above zero")
        }
        func check(_ setting: String, positive number: Int?) throws(InvalidCircuitConfiguration) {
            guard let number else { return }
            try check(setting, number >= 1, number, "at least 1")
        }

        switch window {
        case .calls(let calls): try check("window", Self.windowCalls.contains(calls), calls, "1 to 1000000 calls")
        case .time(let length, let buckets):
            try check("window", positive: length)
            try check("window", Self.buckets.contains(buckets), buckets, "1 to 1000 buckets")
        }
        try check("minimumCalls", positive: minimumCalls)
        try check("failureRateThreshold", share: failureRateThreshold)
        if let slowCalls {
            try check("slowCalls.threshold", slowCalls.threshold >= .zero, slowCalls.threshold, "zero or more")
            try check("slowCalls.rateThreshold", share: slowCalls.rateThreshold)
        }
        try check("consecutiveFailures", positive: consecutiveFailures)
        try check("openFor", positive: openFor)
        if let growth {
            try check("growth.factor", growth.factor >= 1 && growth.factor.isFinite, growth.factor, "at least 1")
            try check("growth.maximum", growth.maximum >= openFor, growth.maximum, "at least openFor, \(openFor)")
            try check("growth.jitter", growth.jitter >= 0 && growth.jitter <= 1, growth.jitter, "0 to 1")
        }
        try check("maximumAdvice", maximumAdvice >= .zero, maximumAdvice, "zero or more")
        try check("probes.count", Self.probeCounts.contains(probes.count), probes.count, "1 to 1000")
        if let successes = probes.successes {
            try check("probes.successes", 1...probes.count ~= successes, successes, "1 to probes.count")
        }
        try check("probes.concurrency", positive: probes.concurrency)
        try check("probes.lease", positive: probes.lease)
        try check("probes.timeLimit", positive: probes.timeLimit)
        try check("forgetAfter", positive: forgetAfter)
    }
}

extension CircuitBreaker.Configuration: CustomStringConvertible {
    /// The settings in one line, without those that are off.
    public var description: String {
        var rules: [String] = []
        if let failureRateThreshold { rules.append("a failure rate of \(failureRateThreshold)") }
        if let slowCalls {
            rules.append("a rate of \(slowCalls.rateThreshold) of calls over \(slowCalls.threshold)")
        }
        if let consecutiveFailures { rules.append("\(consecutiveFailures) failures in a row") }
        if let rule { rules.append("the rule \(rule.name)") }
        let over =
            switch window {
            case .calls(let calls): "the last \(calls) calls"
            case .time(let length, _): "the last \(length)"
            }
        return "opens for \(openFor)\(growth.map { " to \($0.maximum)" } ?? "") at "
            + "\(rules.isEmpty ? "advice" : rules.joined(separator: " or ")) over \(over) (at least \(minimumCalls)), "
            + "\(probes.count) probes"
    }
}
