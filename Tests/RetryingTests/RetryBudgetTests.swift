// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Testing

extension RetryBudget {
    /// Withdraws up to `count` retries, which begin and fail, and returns how many were granted.
    func granted(_ count: Int = 1, after error: (any Error)? = Unclear()) -> Int {
        (0..<count).count { _ in
            guard let retry = try? withdraw(after: error) else { return false }
            retry.failed(with: error)
            return true
        }
    }

    func deposit(_ count: Int) {
        for _ in 0..<count { deposit() }
    }
}

@Suite struct RetryBudgetTests {
    // G2.
    @Test(arguments: [0.1, 0.25, 0.3, 0.4, 0.5, 0.75, 0.99, 0.999, 0.9999, 0.01, 0.001, 0.0001, 0, 1])
    func `deposits and withdrawals in turn grant exactly the ratio`(ratio: Double) {
        let budget = RetryBudget(ratio: ratio, minimumPerSecond: 0, clock: ManualClock())
        var granted = 0
        for _ in 0..<10_000 {
            budget.deposit()
            granted += budget.granted()
        }
        #expect(granted == Int((ratio * 10_000).rounded()))
    }

    // G5.
    @Test func `every hundredth is honoured as it is written`() {
        for hundredths in 0...100 {
            let budget = RetryBudget(ratio: Double(hundredths) / 100, minimumPerSecond: 0, clock: ManualClock())
            budget.deposit(100)
            #expect(budget.available == hundredths)
            #expect(budget.granted(101) == hundredths)
        }
    }

    private static let grants: [(ratio: Double, floor: Double, window: Int, deposits: Int, available: Int)] = [
        // G1, Envoy's rows, where its concurrent requests are first attempts here.
        (0.2, 0, 10, 25, 5), (0.2, 0.3, 10, 2, 3), (0.25, 0, 10, 100, 25),
        // G2.
        (0, 10, 1, 0, 10), (0, 10, 1, 1_000, 10), (2, 0, 10, 10_000, 20_000), (0.2, 10, 10, 1_000, 300),
        (0.2, 10, 10, 0, 100), (0.2, 0, 10, 24, 4), (0.2, 0, 10, 4, 0), (0.51, 0, 10, 100, 51),
        (0, 0.3, 10, 9, 3), (0, 0.1, 9, 0, 0), (1.0 / 3, 0, 10, 3, 0), (1.0 / 3, 0, 10, 4, 1),
        // Parts of both make a whole.
        (0.5, 0.05, 10, 1, 1), (1_000, 0, 60, 1_000, 1_000_000), (0, 1_000_000, 60, 0, 60_000_000),
    ]

    @Test(arguments: grants)
    private func `what is granted is the ratio of the first attempts and the floor`(
        ratio: Double, floor: Double, window: Int, deposits: Int, available: Int
    ) {
        let budget = RetryBudget(
            ratio: ratio, minimumPerSecond: floor, window: .seconds(window), clock: ManualClock())
        budget.deposit(deposits)
        #expect(budget.available == available)
        let asked = min(available, 1_000)
        #expect(budget.granted(asked) == asked)
        #expect(budget.available == available - asked)
        if asked == available { #expect(budget.granted() == 0) }
    }

    // G4.
    @Test func `deposits and withdrawals expire with the window`() {
        let clock = ManualClock()
        let budget = RetryBudget(ratio: 0.5, minimumPerSecond: 0, window: .seconds(1), clock: clock)
        func at(_ milliseconds: Int) { clock.set(to: .init(offset: .milliseconds(milliseconds))) }
        budget.deposit()
        at(301)
        budget.deposit()
        at(1_102)
        budget.deposit()
        // The first has expired, and the other two are one retry.
        #expect(budget.granted(3) == 1)
        at(1_500)
        #expect(budget.granted() == 0)
        // All three are gone, and the retry with them: a new pair is one retry.
        at(2_200)
        #expect(budget.available == 0)
        budget.deposit(2)
        #expect(budget.granted(3) == 1)
        at(3_600_000)
        #expect(budget.available == 0)
    }

    @Test func `a retry counts for the whole window, and up to a twentieth of it longer`() {
        let clock = ManualClock()
        let budget = RetryBudget(ratio: 0, minimumPerSecond: 3, window: .seconds(1), clock: clock)
        clock.advance(by: .milliseconds(49))
        #expect(budget.granted(9) == 3)
        clock.advance(by: .seconds(1))
        #expect(budget.available == 0)
        clock.advance(by: .milliseconds(1))
        #expect(budget.available == 3)
        // A clock that steps back changes nothing.
        #expect(budget.granted() == 1)
        clock.set(to: .init(offset: .zero))
        #expect(budget.available == 2)
        #expect(budget.granted(9) == 2)
        clock.set(to: .init(offset: .seconds(Int64.max)))
        #expect(budget.granted(9) == 3)
    }

    @Test func `an empty budget refuses with its name`() throws {
        let budget = RetryBudget(name: "provider", ratio: 1, minimumPerSecond: 0, clock: ManualClock())
        let refusal = #expect(throws: RetryBudgetExhausted.self) { _ = try budget.withdraw(after: Unclear()) }
        #expect(refusal == RetryBudgetExhausted(budget: "provider"))
        #expect(refusal?.retryAfter == nil)
        #expect("\(RetryBudgetExhausted(budget: "provider"))" == "No retry left in provider")
        #expect("\(RetryBudgetExhausted(budget: ""))" == "No retry left in the budget")
        #expect(
            budget.summary == "RetryBudget(provider): 1.0 of the first attempts and 0.0 a second, over 10.0 seconds")
        #expect(RetryBudget.tokens().summary == "RetryBudget(): 10 tokens, 0.1 back for a success")
        #expect(RetryBudget.quota(name: "s3").summary == "RetryBudget(s3): quota of 500 tokens")
    }

    @Test func `gRPC's throttle grants while more than half of the tokens are left`() throws {
        let budget = RetryBudget.tokens(maxTokens: 10, tokenRatio: 0.5)
        #expect(budget.available == 4)
        #expect(budget.granted(4) == 4)
        // 6 tokens are left; the failure takes one, and 5 of 10 are not more than half.
        #expect(budget.granted() == 0)
        // 5, and after three successes 6.5: the next failure leaves 5.5.
        for _ in 0..<3 { budget.succeeded() }
        #expect(budget.available == 1)
        let retry = try budget.withdraw(after: Unclear())
        retry.succeeded()
        #expect(budget.available == 0)
        // What a rejection of our own refused never reached the neighbour.
        #expect(budget.granted(100, after: Refused()) == 100)
        // Failures without end leave no debt, and successes no more than there were.
        #expect(budget.granted(100) == 0)
        for _ in 0..<12 { budget.succeeded() }
        #expect(budget.available == 0)
        budget.succeeded()
        #expect(budget.available == 1)
        for _ in 0..<1_000 { budget.succeeded() }
        #expect(budget.available == 4)
        // A withdrawal that is given back leaves the failure counted, and first attempts do not count.
        try budget.withdraw().giveBack()
        budget.deposit(1_000)
        #expect(budget.available == 3)
    }

    @Test(arguments: [(0.29, 290), (0.5466, 546), (0.001, 1), (0.1, 100), (1, 1_000), (1.001, 1_001), (1.0019, 1_001)])
    func `a token ratio has three decimal places`(ratio: Double, thousandths: Int) {
        let budget = RetryBudget.tokens(maxTokens: 1_000, tokenRatio: ratio)
        _ = budget.granted(1_000)
        // All tokens are gone: it takes (500 × 1,000 + 1,001) / thousandths successes until one retry is granted.
        let needed = (501_001 + thousandths - 1) / thousandths
        for _ in 1..<needed { budget.succeeded() }
        #expect(budget.available == 0)
        budget.succeeded()
        #expect(budget.available == 1)
    }

    // R10.
    @Test func `the quota of AWS takes costs and gives the last one back`() throws {
        // Before a retry is asked for, `available` tells how often the cost of no error fits: the tokens.
        let budget = RetryBudget.quota(cost: { $0 == nil ? 1 : $0 is Busy ? 5 : 14 })
        #expect(budget.available == 500)
        for left in [486, 472, 458] {
            #expect(budget.granted() == 1)
            #expect(budget.available == left)
        }
        try budget.withdraw(after: Busy()).succeeded()
        #expect(budget.available == 458)
        try budget.withdraw(after: Unclear()).giveBack()
        #expect(budget.available == 458)
        budget.succeeded()
        #expect(budget.available == 459)
        #expect(budget.granted(1_000) == 459 / 14)
        #expect(budget.available == 459 % 14)
        #expect(budget.granted(1_000, after: Busy()) == 459 % 14 / 5)
        #expect(budget.granted(after: Busy()) == 0)
        for _ in 0..<1_000 { budget.succeeded() }
        #expect(budget.available == 500)
        #expect(RetryBudget.quota().granted(1_000) == 35)
        let free = RetryBudget.quota(capacity: 1, cost: { _ in -7 })
        #expect(free.granted(100) == 100)
        #expect(free.available == 1)
    }

    @Test(.timeLimit(.minutes(10)), arguments: [0, 1, 2])
    func `many tasks together get exactly what there is`(kind: Int) async {
        let budget =
            switch kind {
            case 0: RetryBudget(ratio: 0.3, minimumPerSecond: 1, window: .seconds(10), clock: ManualClock())
            case 1: RetryBudget.tokens(maxTokens: 1_000, tokenRatio: 0.001)
            default: RetryBudget.quota(capacity: 3_000, cost: { _ in 3 })
            }
        let (tasks, each) = (8, 1_000)
        func together(_ body: @escaping @Sendable () -> Int) async -> Int {
            await withTaskGroup(of: Int.self) { group in
                for _ in 0..<tasks { group.addTask(operation: body) }
                return await group.reduce(0, +)
            }
        }
        _ = await together {
            budget.deposit(each)
            return 0
        }
        let expected = [tasks * each * 3 / 10 + 10, 499, 1_000][kind]
        #expect(budget.available == expected)
        #expect(await together { budget.granted(each) } == expected)
        #expect(budget.available == 0)
        // Now each task gives back half of what it withdraws, so that there is always some left.
        guard kind != 1 else { return }
        let more = RetryBudget(ratio: 0, minimumPerSecond: 800, window: .seconds(10), clock: ManualClock())
        let kept = await together {
            (0..<each).count { number in
                guard let retry = try? more.withdraw() else { return false }
                if number % 2 == 0 { retry.giveBack() } else { retry.failed() }
                return number % 2 != 0
            }
        }
        #expect(kept == tasks * each / 2)
        #expect(more.available == 8_000 - kept)
    }

    private static let refused = [
        "not -0.1", "not nan", "not 1001.0", "not -1.0", "not inf", "not 0.0 seconds", "not 60.000000001 seconds",
        "not 0", "not 1001", "not 0.0", "not nan", "not 1000.5", "not 0",
    ]

    // G2, the last part.
    @Test(arguments: refused.indices)
    func `settings that make no sense are refused with their value`(row: Int) async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [row = row as Int] in
            switch row {
            case 0: _ = RetryBudget(ratio: -0.1)
            case 1: _ = RetryBudget(ratio: .nan)
            case 2: _ = RetryBudget(ratio: 1_001)
            case 3: _ = RetryBudget(minimumPerSecond: -1)
            case 4: _ = RetryBudget(minimumPerSecond: .infinity)
            case 5: _ = RetryBudget(window: .zero)
            case 6: _ = RetryBudget(window: .seconds(60) + .nanoseconds(1))
            case 7: _ = RetryBudget.tokens(maxTokens: 0)
            case 8: _ = RetryBudget.tokens(maxTokens: 1_001)
            case 9: _ = RetryBudget.tokens(tokenRatio: 0)
            case 10: _ = RetryBudget.tokens(tokenRatio: .nan)
            case 11: _ = RetryBudget.tokens(tokenRatio: 1_000.5)
            default: _ = RetryBudget.quota(capacity: 0)
            }
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains(Self.refused[row]))
    }
}
