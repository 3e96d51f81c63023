// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Retrying

extension Row {
    static let retrying = [
        Row("Retrying", "hand-written loop, first attempt succeeds", floor: Floor.await) { meter in
            try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await handWritten(attempts: 3) { try await bareOperation(1) } }
                return done
            }
        },
        firstAttempt("retry, first attempt succeeds", Retry(name: "benchmark")),
        firstAttempt(
            "retry with a budget, first attempt succeeds", Retry(name: "benchmark", budget: RetryBudget())),
        firstAttempt(
            "retry with a token budget, first attempt succeeds", Retry(name: "benchmark", budget: .tokens())),
        firstAttempt(
            "retry with a limit, first attempt succeeds", Retry(name: "benchmark", within: .seconds(60))),
        Row("Retrying", "retry under a deadline, first attempt succeeds", floor: Floor.await) { meter in
            let retry = Retry(name: "benchmark")
            return try await meter.async { count in
                try await Deadline.after(.seconds(3_600)).bind {
                    var done = 0
                    for _ in 0..<count { done += try await retry.run { try await bareOperation(1) } }
                    return done
                }
            }
        },
        Row("Retrying", "retry that tells the attempt, first attempt succeeds", floor: Floor.await) { meter in
            let retry = Retry(name: "benchmark")
            return try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await retry.run { try await bareOperation($0.number) } }
                return done
            }
        },
        Row("Retrying", "retry that looks at the value, first is accepted", floor: Floor.await) { meter in
            let retry = Retry(name: "benchmark")
            return try await meter.async { count in
                var done = 0
                for _ in 0..<count {
                    done += try await retry.run {
                        try await bareOperation(1)
                    } classifyResult: { result in
                        (try? result.get()) == 1 ? .stop : .retry
                    }
                }
                return done
            }
        },
        draw("back-off, one draw", .exponential()),
        draw("back-off, one equal draw", .exponential(jitter: .equal)),
        draw("back-off, one decorrelated draw", .decorrelated()),
        draw("back-off, one draw of a list", .listed([100, 200, 300, 400].map { .milliseconds($0) }, jitter: .full)),
        Row("Retrying", "retry budget, deposit", floor: Floor.clock) { meter in
            let budget = RetryBudget()
            return try meter.sync { count in
                for _ in 0..<count { budget.deposit() }
                return count
            }
        },
        Row("Retrying", "retry budget, a retry that begins and is given back", floor: Floor.clock) { meter in
            let budget = RetryBudget()
            return try meter.sync { count in
                for _ in 0..<count {
                    var retry = try budget.withdraw()
                    retry.begin()
                    retry.giveBack()
                }
                return count
            }
        },
    ]

    private static func firstAttempt(_ name: String, _ retry: Retry) -> Row {
        Row("Retrying", name, floor: Floor.await) { meter in
            try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await retry.run { try await bareOperation(1) } }
                return done
            }
        }
    }

    private static func draw(_ name: String, _ backoff: Backoff) -> Row {
        Row("Retrying", name, floor: Floor.draw) { meter in
            let randomness = RandomSource.seeded(1)
            return try meter.sync { count in
                var drawn = 0
                for number in 0..<count {
                    let delay = backoff.delay(
                        afterAttempt: 1 + number & 3, previous: .milliseconds(200), using: randomness)
                    if let delay, delay <= .milliseconds(800) { drawn += 1 }
                }
                return drawn
            }
        }
    }
}

/// What one writes without a library.
private func handWritten<Success>(
    attempts: Int, _ operation: () async throws -> Success
) async throws -> Success {
    var attempt = 1
    while true {
        do {
            return try await operation()
        } catch {
            if attempt == attempts { throw error }
            attempt += 1
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
