// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CircuitBreaking

extension Row {
    static let circuitBreaking = [
        permits("permit + success", CircuitBreaker.Configuration()),
        permits("permit + result, every tenth a failure", CircuitBreaker.Configuration(), failing: 10),
        permits("permit + result, time window", timeWindow),
        permits("permit + result, time window, every tenth a failure", timeWindow, failing: 10),
        permits("permit + result, calls timed", timed),
        permitsOnTwoThreads("permit + success", CircuitBreaker.Configuration()),
        permitsOnTwoThreads("permit + result, every tenth a failure", CircuitBreaker.Configuration(), failing: 10),
        permitsOnTwoThreads("permit + success, time window", timeWindow),
        run("run", CircuitBreaker.Configuration()),
        run("run, time window", timeWindow),
        run("run, calls timed", timed),
        Row("CircuitBreaking", "registry of 1,000 keys, permit + success", floor: Floor.lock) { meter in
            let breakers = CircuitBreakers<String>(name: "benchmark")
            let keys = (0..<1_000).map { "shop-\($0).example.net" }
            return try meter.sync { count in
                var (settled, next) = (0, 0)
                for _ in 0..<count {
                    next = next == 999 ? 0 : next + 1
                    guard let permit = try? breakers.breaker(for: keys[next]).acquire() else { continue }
                    permit.succeed()
                    settled += 1
                }
                return settled
            }
        },
        Row("CircuitBreaking", "breaker open, permit refused", floor: Floor.clock) { meter in
            let breaker = try openBreaker()
            return try meter.sync { count in
                var refused = 0
                for _ in 0..<count {
                    do throws(CircuitOpen) { try breaker.acquire().ignore() } catch { refused += 1 }
                }
                return refused
            }
        },
        Row("CircuitBreaking", "breaker open, run refused", floor: Floor.clock) { meter in
            // The error is kept and looked at in the end: a cast of each is the caller's affair and costs 20 ns more.
            let breaker = try openBreaker()
            return try await meter.async { count in
                var (refused, last) = (0, nil as (any Error)?)
                for _ in 0..<count {
                    do { _ = try await breaker.run { try await bareOperation(1) } } catch {
                        last = error
                        refused += 1
                    }
                }
                return last is CircuitOpen ? refused : 0
            }
        },
    ]

    private static let timeWindow = CircuitBreaker.Configuration(window: .time(.seconds(10)))
    private static let timed = CircuitBreaker.Configuration(slowCalls: .init(longerThan: .seconds(60)))

    private static func permits(
        _ name: String, _ configuration: CircuitBreaker.Configuration, failing every: Int = .max
    ) -> Row {
        Row("CircuitBreaking", "breaker closed, \(name)", floor: Floor.lock) { meter in
            let breaker = CircuitBreaker(name: "benchmark", configuration: configuration)
            return try meter.sync { count in settled(breaker, count, failing: every) }
        }
    }

    private static func permitsOnTwoThreads(
        _ name: String, _ configuration: CircuitBreaker.Configuration, failing every: Int = .max
    ) -> Row {
        Row("CircuitBreaking", "breaker closed, \(name), two threads", floor: Floor.lockShared) { meter in
            let breaker = CircuitBreaker(name: "benchmark", configuration: configuration)
            return try meter.twoThreads { count in settled(breaker, count, failing: every) }
        }
    }

    private static func run(_ name: String, _ configuration: CircuitBreaker.Configuration) -> Row {
        Row("CircuitBreaking", "breaker closed, \(name)", floor: Floor.await) { meter in
            let breaker = CircuitBreaker(name: "benchmark", configuration: configuration)
            return try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await breaker.run { try await bareOperation(1) } }
                return done
            }
        }
    }

    private static func settled(_ breaker: CircuitBreaker, _ count: Int, failing every: Int) -> Int {
        var settled = 0
        var untilFailure = every
        for _ in 0..<count {
            guard let permit = try? breaker.acquire() else { continue }
            untilFailure -= 1
            if untilFailure == 0 {
                permit.fail()
                untilFailure = every
            } else {
                permit.succeed()
            }
            settled += 1
        }
        return settled
    }

    /// A breaker that stays open for the day.
    private static func openBreaker() throws -> CircuitBreaker {
        let configuration = CircuitBreaker.Configuration(minimumCalls: 1, openFor: .seconds(86_400))
        let breaker = CircuitBreaker(name: "benchmark", configuration: configuration)
        try breaker.acquire().fail()
        return breaker
    }
}
