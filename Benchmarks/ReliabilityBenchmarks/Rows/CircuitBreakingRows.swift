// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CircuitBreaking

extension Row {
    static let circuitBreaking = [
        Row("CircuitBreaking", "breaker closed, permit + success", floor: Floor.lock) { meter in
            let breaker = CircuitBreaker(name: "benchmark")
            return try meter.sync { count in succeeded(breaker, count) }
        },
        Row("CircuitBreaking", "breaker closed, permit + success, two threads", floor: Floor.lockShared) { meter in
            let breaker = CircuitBreaker(name: "benchmark")
            return try meter.twoThreads { count in succeeded(breaker, count) }
        },
        Row("CircuitBreaking", "breaker closed, run", floor: Floor.await) { meter in
            let breaker = CircuitBreaker(name: "benchmark")
            return try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await breaker.run { try await bareOperation(1) } }
                return done
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
            let breaker = try openBreaker()
            return try await meter.async { count in
                var refused = 0
                for _ in 0..<count {
                    do { _ = try await breaker.run { try await bareOperation(1) } } catch is CircuitOpen {
                        refused += 1
                    }
                }
                return refused
            }
        },
    ]

    private static func succeeded(_ breaker: CircuitBreaker, _ count: Int) -> Int {
        var succeeded = 0
        for _ in 0..<count {
            guard let permit = try? breaker.acquire() else { continue }
            permit.succeed()
            succeeded += 1
        }
        return succeeded
    }

    /// A breaker that stays open for the day.
    private static func openBreaker() throws -> CircuitBreaker {
        let configuration = CircuitBreaker.Configuration(minimumCalls: 1, openFor: .seconds(86_400))
        let breaker = CircuitBreaker(name: "benchmark", configuration: configuration)
        try breaker.acquire().fail()
        return breaker
    }
}
