// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CircuitBreaking

/// The settings of a story in plain numbers, times in nanoseconds, shares as whole fractions.
struct ModelSettings {
    struct Fraction {
        var part: Int
        var whole: Int

        var value: Double { Double(part) / Double(whole) }
        func isReached(by number: Int, of all: Int) -> Bool { number * whole >= part * all }
    }

    enum Window: Equatable {
        case calls(Int)
        case time(bucket: Int, buckets: Int)
    }

    var window = Window.calls(1)
    var minimum = 1
    var failureRate: Fraction?
    var slow: (over: Int, rate: Fraction)?
    var row: Int?
    /// The rule of the user's: so many failures in the window.
    var ruleFailures: Int?
    var openFor = 1
    var growth: (factor: Int, maximum: Int, jitter: Double)?
    var maximumAdvice = 0
    var probes = 1
    var successes: Int?
    var concurrency: Int?
    var lease = 1
    var timeLimit: Int?
    var forgetAfter: Int?

    static let ruleName = "failures"

    /// The same for the breaker.
    var configuration: CircuitBreaker.Configuration {
        let window: CircuitBreaker.Configuration.Window =
            switch self.window {
            case .calls(let calls): .calls(calls)
            case .time(let bucket, let buckets): .time(.nanoseconds(bucket * buckets), buckets: buckets)
            }
        return .init(
            window: window, minimumCalls: minimum, failureRateThreshold: failureRate?.value,
            slowCalls: slow.map { .init(longerThan: .nanoseconds($0.over), rateThreshold: $0.rate.value) },
            consecutiveFailures: row,
            rule: ruleFailures.map { most in CircuitRule(Self.ruleName) { $0.failures >= most } },
            openFor: .nanoseconds(openFor),
            growth: growth.map {
                .init(factor: Double($0.factor), maximum: .nanoseconds($0.maximum), jitter: $0.jitter)
            },
            maximumAdvice: .nanoseconds(maximumAdvice),
            probes: .init(
                probes, successes: successes, concurrency: concurrency, lease: .nanoseconds(lease),
                timeLimit: timeLimit.map { .nanoseconds($0) }),
            forgetAfter: forgetAfter.map { .nanoseconds($0) })
    }

    init() {}

    /// Draws settings that are small enough for everything to happen within some dozens of steps.
    init(_ random: inout some RandomNumberGenerator) {
        func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
        func fraction() -> Fraction {
            let whole = Int.random(in: 1...7, using: &random)
            return Fraction(part: .random(in: 1...whole, using: &random), whole: whole)
        }
        window =
            chance(2)
            ? .calls(chance(3) ? .random(in: 60...70, using: &random) : .random(in: 1...9, using: &random))
            : .time(bucket: .random(in: 1...40, using: &random), buckets: .random(in: 1...6, using: &random))
        minimum = .random(in: 1...8, using: &random)
        failureRate = chance(5) ? nil : fraction()
        slow = chance(2) ? nil : (over: .random(in: 0...30, using: &random), rate: fraction())
        row = chance(3) ? .random(in: 1...5, using: &random) : nil
        ruleFailures = chance(4) ? .random(in: 1...5, using: &random) : nil
        openFor = .random(in: 1...60, using: &random)
        if chance(2) {
            growth = (
                factor: .random(in: 1...3, using: &random), maximum: openFor + .random(in: 0...200, using: &random),
                jitter: chance(3) ? [0.25, 0.5, 1][.random(in: 0..<3, using: &random)] : 0
            )
        }
        maximumAdvice = .random(in: 0...80, using: &random)
        probes = .random(in: 1...5, using: &random)
        successes = chance(2) ? nil : .random(in: 1...probes, using: &random)
        concurrency = chance(2) ? nil : .random(in: 1...3, using: &random)
        lease = .random(in: 1...60, using: &random)
        timeLimit = chance(2) ? nil : .random(in: 1...80, using: &random)
        forgetAfter = chance(3) ? .random(in: 20...150, using: &random) : nil
    }
}
