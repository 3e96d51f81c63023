// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Synchronization
import Testing

/// Runs of a `Retry` that has a budget.
@Suite struct RetryBudgetRunTests {
    @Test(.timeLimit(.minutes(10)))
    func `a retry is taken before the delay, held through it, and given back by cancellation`() async {
        let clock = ManualClock()
        let budget = RetryBudget(ratio: 0, minimumPerSecond: 0.2, window: .seconds(10), clock: clock)
        let recorder = Recorder<RetryEvent>()
        let retry = Retry(repeatability: .idempotent, budget: budget, clock: clock, onEvent: recorder.record)
        #expect(budget.available == 2)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await retry.run { throw Unclear() } }
                }
            }
            await clock.waitForSleepers(2)
            // Both wait, no attempt has begun, and nothing is left for a third, which is told its own error at once.
            #expect(budget.available == 0)
            let error = await #expect(throws: Busy.self) {
                try await retry.run { throw Busy(number: 3, retryAfter: nil) }
            }
            #expect(error?.number == 3)
            #expect(recorder.events.last?.reason == .budgetExhausted)
            #expect(recorder.events.last?.delay == nil)
            #expect(clock.sleeperCount == 2)
            group.cancelAll()
        }
        #expect(budget.available == 2)
        #expect(recorder.events.map(\.reason) == [.retrying, .retrying, .budgetExhausted])
    }

    @Test(.timeLimit(.minutes(10)))
    func `a retry counts for as long as it waits, and for a window from when it begins`() async throws {
        let clock = ManualClock()
        let budget = RetryBudget(ratio: 0, minimumPerSecond: 1, window: .seconds(1), clock: clock)
        let retry = Retry(
            backoff: .constant(.seconds(60)), repeatability: .idempotent, budget: budget, clock: clock)
        async let attempts = retry.run { attempt in
            if attempt.number == 1 { throw Unclear() }
            return attempt.number
        }
        await clock.waitForSleepers()
        for _ in 0..<59 {
            clock.advance(by: .seconds(1))
            #expect(budget.available == 0)
        }
        clock.advance(by: .seconds(1))
        #expect(try await attempts == 2)
        clock.advance(by: .seconds(1))
        #expect(budget.available == 0)
        clock.advance(by: .milliseconds(50))
        #expect(budget.available == 1)
    }

    @Test func `a retry that a guard refuses does not reach the neighbour, and costs no budget of any kind`() async {
        let clock = SkippingClock()
        let budgets = [
            RetryBudget(ratio: 0, minimumPerSecond: 0.2, window: .seconds(10), clock: clock),
            .tokens(maxTokens: 5), .quota(capacity: 28, cost: { _ in 14 }),
        ]
        for budget in budgets {
            let recorder = Recorder<RetryEvent>()
            let retry = Retry(
                maxAttempts: 9, backoff: .constant(.milliseconds(1)), repeatability: .idempotent, budget: budget,
                clock: clock, onEvent: recorder.record)
            #expect(budget.available == 2)
            await #expect(throws: Refused.self) { try await retry.run { throw Refused() } }
            #expect(recorder.events.map(\.reason) == Array(repeating: .retrying, count: 8) + [.exhausted])
            #expect(budget.available == 2)
        }
    }

    @Test func `what a run without budget throws is true of all its attempts`() async {
        let clock = SkippingClock()
        let budget = RetryBudget(ratio: 0, minimumPerSecond: 0.1, window: .seconds(10), clock: clock)
        let retry = Retry(maxAttempts: 9, repeatability: .idempotent, budget: budget, clock: clock)
        let error = await #expect(throws: Unclear.self) {
            try await retry.run { (attempt: RetryAttempt) in
                if attempt.number == 1 { throw Unclear(number: 1) }
                throw Refused(number: attempt.number)
            }
        }
        #expect(error?.number == 1)
    }

    @Test func `a value that asks for more than the budget has is returned`() async throws {
        let budget = RetryBudget(ratio: 0, minimumPerSecond: 0, clock: SkippingClock())
        let retry = Retry(repeatability: .idempotent, budget: budget, clock: SkippingClock())
        #expect(
            try await retry.run {
                7
            } classifyResult: { _ in
                .retry
            } == 7)
    }

    private static let deposits: [(within: Duration?, form: Int)] = [
        (nil, 0), (nil, 1), (nil, 2), (nil, 3), (.seconds(99), 0), (.seconds(99), 1), (.seconds(99), 2),
    ]

    @Test(arguments: deposits)
    private func `every run deposits once, in every form, however many attempts it makes`(
        within limit: Duration?, form: Int
    ) async throws {
        let clock = SkippingClock()
        let budget = RetryBudget(ratio: 1, minimumPerSecond: 0, window: .seconds(60), clock: clock)
        let retry = Retry(
            backoff: .constant(.zero), within: limit, repeatability: .idempotent, budget: budget, clock: clock)
        let failures = Locked(0)
        let attempt: @Sendable () throws -> Void = {
            try failures.withLock { count in
                guard count > 0 else { return }
                count -= 1
                throw Unclear()
            }
        }
        func run() async throws {
            switch form {
            case 0: try await retry.run { try attempt() }
            case 1: try await retry.run { _ in try attempt() }
            case 2:
                try await retry.run {
                    try attempt()
                } classifyResult: {
                    (try? $0.get()) == nil ? .retry : .stop
                }
            default: try await retry.declaring(.idempotent).run(attemptTimeout: Timeout(.seconds(1))) { try attempt() }
            }
        }
        for runs in 1...5 {
            try await run()
            #expect(budget.available == runs)
        }
        failures.withLock { $0 = 2 }
        try await run()
        #expect(budget.available == 4)
    }

    @Test(arguments: deposits)
    private func `every form tells a budget of tokens that it succeeded`(
        within limit: Duration?, form: Int
    ) async throws {
        let budget = RetryBudget.quota(capacity: 9, cost: { $0 == nil ? 1 : 9 })
        let retry = Retry(within: limit, budget: budget, clock: SkippingClock())
        try budget.withdraw(after: Unclear()).failed()
        switch form {
        case 0: try await retry.run {}
        case 1: try await retry.run { _ in }
        case 2:
            try await retry.run {
            } classifyResult: { _ in
                .stop
            }
        default: try await retry.run(attemptTimeout: Timeout(.seconds(1))) {}
        }
        #expect(budget.available == 1)
    }

    private enum Ending {
        case success, exhausted, stopped, pushedBack, unproven, rejected, outOfTime, cancelled
    }

    private static let tokens: [(Ending, failures: Int, available: Int, quota: Int)] = [
        // What is left of 1,000 tokens where a success gives two back, in retries, from 499 on; and of a quota of 50
        // where a retry costs 5.
        (.success, 0, 499, 50), (.success, 1, 499, 50), (.success, 2, 499, 45), (.exhausted, 3, 496, 40),
        (.stopped, 1, 499, 50), (.stopped, 2, 498, 45), (.pushedBack, 1, 498, 50), (.pushedBack, 2, 497, 45),
        (.unproven, 1, 498, 50), (.rejected, 3, 499, 50),
        (.outOfTime, 1, 498, 50), (.cancelled, 1, 499, 50),
    ]

    @Test(arguments: tokens)
    private func `the budgets of tokens are told every end of an attempt`(
        ending: Ending, failures: Int, available: Int, quota: Int
    ) async {
        for isQuota in [false, true] {
            let budget =
                isQuota
                ? RetryBudget.quota(capacity: 50, cost: { $0 == nil ? 1 : 5 })
                : .tokens(maxTokens: 1_000, tokenRatio: 2)
            let clock = SkippingClock()
            let last: RetryVerdict =
                ending == .stopped ? .stop : ending == .pushedBack ? .pushedBack : .retry
            let retry = Retry(
                backoff: .constant(.seconds(1)), repeatability: ending == .unproven ? .unproven : .idempotent,
                budget: budget,
                classify: { ($0 as? Unclear)?.number == 99 ? last : .retry }, clock: clock)
            let limit = Deadline.after(ending == .outOfTime ? .seconds(1) : .seconds(99), clock: clock)
            async let end: Void = limit.bind {
                try await retry.run { (attempt: RetryAttempt) in
                    guard attempt.number <= failures else { return }
                    if ending == .rejected { throw Refused() }
                    if ending == .cancelled { cancelCurrentTask() }
                    throw Unclear(number: attempt.number == failures ? 99 : 1)
                }
            }
            let isSuccess = (try? await end) != nil
            #expect(isSuccess == (ending == .success))
            #expect(budget.available == (isQuota ? quota : available), "\(isQuota)")
        }
    }
}
