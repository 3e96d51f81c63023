// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Testing

/// A retry that waits, as an object that a list can hold.
private final class Waiting {
    private var retry: RetryWithdrawal?

    init(_ retry: consuming RetryWithdrawal) { self.retry = consume retry }

    func begin(andFailWith error: any Error) {
        retry?.begin()
        retry.take()?.failed(with: error)
    }
}

/// Random traffic against lists of what happened.
@Suite struct RetryBudgetPropertyTests {
    @Test(arguments: (0..<30).map { UInt64($0) &* 0x9E37_79B9 &+ 3 })
    func `what is granted is what a list of all that happened allows`(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        // The ratio in millionths and the floor in tenths of a retry a second, so that the list counts in integers.
        let ratio = Int.random(in: 0...2_000_000, using: &random)
        let floor = Int.random(in: 0...20, using: &random)
        let window = Int.random(in: 1...50, using: &random) * 200
        let clock = ManualClock()
        let budget = RetryBudget(
            ratio: Double(ratio) / 1e6, minimumPerSecond: Double(floor) / 10, window: .milliseconds(window),
            clock: clock)
        let step = window / 20
        var (now, deposits, retries) = (0, [Int](), [Int]())
        var waiting: [Waiting] = []
        for call in 0..<1_500 {
            if Int.random(in: 0...9, using: &random) == 0 {
                now += Int.random(in: 0...(call % 100 == 0 ? 3 * window : 2 * step), using: &random)
                clock.set(to: .init(offset: .milliseconds(now)))
            }
            // What is kept: the present step of a twentieth of the window and twenty before it.
            let start = (now / step - 20) * step
            let firstAttempts = deposits.count { $0 >= start }
            let allowed = (firstAttempts * ratio * 10 + floor * window * 1_000) / 10_000_000
            let left = max(0, allowed - retries.count { $0 >= start } - waiting.count)
            try #require(budget.available == left, "seed \(seed), call \(call)")
            switch Int.random(in: 0...6, using: &random) {
            case 0, 1:
                budget.deposit()
                deposits.append(now)
            case 2 where !waiting.isEmpty:
                let isRefused = Bool.random(using: &random)
                waiting.removeFirst().begin(andFailWith: isRefused ? Refused() : Unclear())
                if !isRefused { retries.append(now) }
            default:
                guard let retry = try? budget.withdraw() else {
                    try #require(left == 0, "seed \(seed), call \(call)")
                    continue
                }
                try #require(left > 0, "seed \(seed), call \(call)")
                switch Int.random(in: 0...3, using: &random) {
                case 0: retry.giveBack()
                case 1:
                    retry.failed()
                    retries.append(now)
                default: waiting.append(Waiting(retry))
                }
                // The promise itself, in real time: the retries that wait or began in the last window against the first
                // attempts of the same time and a twentieth more.
                let recent = retries.count { $0 > now - window } + waiting.count
                let funded = deposits.count { $0 > now - window - step } * ratio * 10 + floor * window * 1_000
                try #require(recent * 10_000_000 <= funded, "seed \(seed), call \(call)")
            }
        }
    }
}
