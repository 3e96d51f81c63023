// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Testing

@testable import CircuitBreaking

@Suite struct CircuitConfigurationTests {
    typealias Settings = CircuitBreaker.Configuration

    private static let wrong: [(Settings, setting: String, value: String)] = [
        (.init(window: .calls(0)), "window", "0"),
        (.init(window: .calls(1_000_001)), "window", "1000001"),
        (.init(window: .time(.zero)), "window", "0.0 seconds"),
        (.init(window: .time(.seconds(1), buckets: 0)), "window", "0"),
        (.init(window: .time(.seconds(1), buckets: 1_001)), "window", "1001"),
        (.init(minimumCalls: 0), "minimumCalls", "0"),
        (.init(failureRateThreshold: 0), "failureRateThreshold", "0.0"),
        (.init(failureRateThreshold: 1.5), "failureRateThreshold", "1.5"),
        (.init(failureRateThreshold: .nan), "failureRateThreshold", "nan"),
        (.init(slowCalls: .init(longerThan: .seconds(-1))), "slowCalls.threshold", "-1.0 seconds"),
        (.init(slowCalls: .init(longerThan: .zero, rateThreshold: 0)), "slowCalls.rateThreshold", "0.0"),
        (.init(slowCalls: .init(longerThan: .zero, rateThreshold: 2)), "slowCalls.rateThreshold", "2.0"),
        (.init(consecutiveFailures: 0), "consecutiveFailures", "0"),
        (.init(openFor: .zero), "openFor", "0.0 seconds"),
        (.init(growth: .init(factor: 0.9)), "growth.factor", "0.9"),
        (.init(growth: .init(factor: .infinity)), "growth.factor", "inf"),
        (.init(growth: .init(factor: .nan)), "growth.factor", "nan"),
        (.init(openFor: .seconds(2), growth: .init(maximum: .seconds(1))), "growth.maximum", "1.0 seconds"),
        (.init(growth: .init(jitter: -0.1)), "growth.jitter", "-0.1"),
        (.init(growth: .init(jitter: 1.1)), "growth.jitter", "1.1"),
        (.init(maximumAdvice: .seconds(-1)), "maximumAdvice", "-1.0 seconds"),
        (.init(probes: .init(0)), "probes.count", "0"),
        (.init(probes: .init(1_001)), "probes.count", "1001"),
        (.init(probes: .init(3, successes: 0)), "probes.successes", "0"),
        (.init(probes: .init(3, successes: 4)), "probes.successes", "4"),
        (.init(probes: .init(3, concurrency: 0)), "probes.concurrency", "0"),
        (.init(probes: .init(3, lease: .zero)), "probes.lease", "0.0 seconds"),
        (.init(probes: .init(3, timeLimit: .zero)), "probes.timeLimit", "0.0 seconds"),
        (.init(forgetAfter: .zero), "forgetAfter", "0.0 seconds"),
    ]

    @Test func `settings that make no sense are refused, with their name and value`() {
        for (settings, setting, value) in Self.wrong {
            do throws(InvalidCircuitConfiguration) {
                try settings.validate()
                Issue.record("\(setting) \(value) is accepted")
            } catch {
                #expect(error.setting == setting)
                #expect(error.value == value)
                #expect(error.description == "\(setting) is \(error.allowed), not \(value)")
            }
        }
    }

    @Test func `settings at their limits are accepted`() throws {
        try Settings().validate()
        try Settings.consecutiveFailures(1).validate()
        try Settings(
            window: .time(.nanoseconds(1), buckets: 1_000), minimumCalls: .max, failureRateThreshold: 1,
            slowCalls: .init(longerThan: .zero, rateThreshold: 1), openFor: .nanoseconds(1),
            growth: .init(factor: 1, maximum: .nanoseconds(1), jitter: 1), maximumAdvice: .zero,
            probes: .init(1_000, successes: 1_000, concurrency: .max)
        ).validate()
        try Settings(window: .calls(1_000_000), failureRateThreshold: .leastNonzeroMagnitude).validate()
    }

    @Test func `a breaker of settings that make no sense stops the program and says why`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = CircuitBreaker(name: "provider", configuration: .init(window: .calls(0)))
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("window is 1 to 1000000 calls, not 0"))
    }

    @Test func `open times grow by their factor, from the first to the maximum`() {
        let rows: [(openFor: Double, factor: Double, maximum: Double, times: [Double])] = [
            (1, 2, 30, [1, 2, 4, 8, 16, 30, 30]), (5, 3, 300, [5, 15, 45, 135, 300, 300]), (2, 1, 2, [2, 2, 2]),
            (3, 1e300, 1e9, [3, 1e9, 1e9]),
        ]
        for row in rows {
            let growth = Settings.Growth(factor: row.factor, maximum: .seconds(row.maximum))
            let rules = CircuitRules(.init(openFor: .seconds(row.openFor), growth: growth))
            var times = [rules.openFor]
            while times.count < row.times.count { times.append(rules.openTime(after: times[times.count - 1])) }
            #expect(times == row.times.map { Int64($0 * 1e9) })
        }
        let fixed = CircuitRules(.init(openFor: .seconds(9)))
        #expect(fixed.openTime(after: 77) == 9_000_000_000)
    }
}
