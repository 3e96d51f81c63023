// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Testing

@Suite struct RetryWithdrawalTests {
    @Test func `a withdrawal that is given back was never made, unless it had expired`() throws {
        let clock = ManualClock()
        let budget = RetryBudget(ratio: 0, minimumPerSecond: 2, window: .seconds(1), clock: clock)
        var first = try budget.withdraw()
        first.begin()
        clock.advance(by: .milliseconds(500))
        var second = try budget.withdraw()
        second.begin()
        #expect(budget.available == 0)
        first.giveBack()
        #expect(budget.available == 1)
        clock.advance(by: .seconds(1))
        #expect(budget.available == 1)
        clock.advance(by: .milliseconds(50))
        #expect(budget.available == 2)
        second.giveBack()
        #expect(budget.available == 2)
    }

    @Test func `a withdrawal is held for as long as it waits, and counts for a window from when it begins`() throws {
        let clock = ManualClock()
        let budget = RetryBudget(ratio: 0, minimumPerSecond: 3, window: .seconds(1), clock: clock)
        let first = try budget.withdraw()
        var second = try budget.withdraw()
        var third = try budget.withdraw()
        clock.advance(by: .seconds(3_600))
        #expect(budget.available == 0)
        first.giveBack()
        #expect(budget.available == 1)
        second.begin()
        // What ends without having begun begins at its end, and it begins but once.
        third.begin()
        clock.advance(by: .milliseconds(500))
        third.begin()
        third.succeeded()
        try budget.withdraw().succeeded()
        #expect(budget.available == 0)
        clock.advance(by: .milliseconds(549))
        #expect(budget.available == 0)
        clock.advance(by: .milliseconds(1))
        #expect(budget.available == 2)
        second.failed(with: Unclear())
        clock.advance(by: .milliseconds(500))
        #expect(budget.available == 3)
    }

    /// The kinds, each with two retries after a refusal.
    private static func budget(
        _ kind: Int, onEvent: (@Sendable (RetryBudgetEvent) -> Void)? = nil
    ) -> RetryBudget {
        switch kind {
        case 0:
            RetryBudget(
                name: "provider", ratio: 0, minimumPerSecond: 0.2, window: .seconds(10), clock: ManualClock(),
                onEvent: onEvent)
        case 1: .tokens(name: "provider", maxTokens: 5, onEvent: onEvent)
        default: .quota(name: "provider", capacity: 28, cost: { _ in 14 }, onEvent: onEvent)
        }
    }

    @Test(arguments: [0, 1, 2])
    func `a withdrawal that is dropped gives back what it held, and is reported`(kind: Int) throws {
        let recorder = Recorder<RetryBudgetEvent>()
        let budget = Self.budget(kind, onEvent: recorder.record)
        for _ in 0..<3 {
            _ = try budget.withdraw(after: Refused())
        }
        #expect(budget.available == 2)
        let dropped = RetryBudgetEvent(name: "provider", kind: .withdrawalDropped(hasBegun: false))
        #expect(recorder.events == [dropped, dropped, dropped])
        // A retry that has begun may have reached the neighbour, so it stays spent. In a budget of tokens only failures
        // are.
        do {
            var retry = try budget.withdraw(after: Refused())
            retry.begin()
        }
        #expect(budget.available == (kind == 1 ? 2 : 1))
        #expect(recorder.events.last?.kind == .withdrawalDropped(hasBegun: true))
    }

    @Test(arguments: [0, 1, 2])
    func `a withdrawal that is settled is not reported, and a refused retry is given back`(kind: Int) throws {
        let recorder = Recorder<RetryBudgetEvent>()
        let budget = Self.budget(kind, onEvent: recorder.record)
        for hasBegun in [false, true] {
            var retry = try budget.withdraw(after: Refused())
            if hasBegun { retry.begin() }
            retry.failed(with: Refused())
            #expect(budget.available == 2)
            retry = try budget.withdraw(after: Refused())
            if hasBegun { retry.begin() }
            retry.giveBack()
            #expect(budget.available == 2)
        }
        try budget.withdraw(after: Refused()).failed()
        #expect(budget.available == (kind == 1 ? 2 : 1))
        try budget.withdraw(after: Refused()).succeeded()
        #expect(budget.available == [0, 2, 1][kind])
        #expect(recorder.events.isEmpty)
    }

    /// The loop of the documentation.
    @Test func `a loop of one's own settles what it takes out`() async throws {
        let clock = SkippingClock()
        let budget = RetryBudget(
            ratio: 0, minimumPerSecond: 0.1, window: .seconds(10), clock: clock,
            onEvent: { Issue.record("Not settled: \($0.kind)") })
        func run(_ fetch: (Int) async throws -> Int) async throws -> Int {
            budget.deposit()
            do {
                let value = try await fetch(1)
                budget.succeeded()
                return value
            } catch { /* one that may be tried again */  }
            var retry = try budget.withdraw()
            do {
                try await clock.sleep(for: .seconds(1))
                try Task.checkCancellation()
            } catch {
                retry.giveBack()
                throw error
            }
            retry.begin()
            do {
                let value = try await fetch(2)
                retry.succeeded()
                return value
            } catch {
                retry.failed(with: error)
                budget.gaveUp(after: error)
                throw error
            }
        }
        #expect(try await run { $0 } == 1)
        await #expect(throws: Refused.self) { try await run { _ in throw Refused() } }
        #expect(budget.available == 1)
        async let isCancelled: Bool = {
            do {
                _ = try await run { _ in
                    cancelCurrentTask()
                    throw Unclear()
                }
                return false
            } catch {
                return error is CancellationError
            }
        }()
        #expect(await isCancelled)
        #expect(budget.available == 1)
        #expect(
            try await run {
                if $0 == 1 { throw Unclear() }
                return $0
            } == 2)
        #expect(budget.available == 0)
        await #expect(throws: RetryBudgetExhausted.self) { try await run { _ in throw Unclear() } }
    }

    @Test func `a loop of one's own takes as many tokens as a retry does`() async throws {
        let (ours, theirs) = (RetryBudget.tokens(maxTokens: 20), RetryBudget.tokens(maxTokens: 20))
        let retry = Retry(maxAttempts: 2, repeatability: .idempotent, budget: theirs, clock: SkippingClock())
        for error in [Unclear(), Refused(), nil] as [(any Error)?] {
            _ = try? await retry.run {
                if let error { throw error }
            } classifyResult: { _ in
                .retry
            }
            ours.deposit()
            var second = try ours.withdraw(after: error)
            second.begin()
            second.failed(with: error)
            ours.gaveUp(after: error)
            #expect(ours.available == theirs.available)
        }
        #expect(ours.available == 5)
    }
}
