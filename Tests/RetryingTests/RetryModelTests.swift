// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Retrying
import Synchronization
import Testing

private struct Hopeless: Numbered, Permanent {
    var number: Int
}

/// What one attempt of a random run does, and what is said about it.
private struct Attempt: Sendable {
    enum End: Sendable {
        case value, unclear, unsent, hopeless
        case busy(Duration?)
        case refused(Duration?)
    }

    var end: End
    var duration: Duration
    var verdict: RetryVerdict

    func error(_ number: Int) -> (any Numbered)? {
        switch end {
        case .value: nil
        case .unclear: Unclear(number: number)
        case .unsent: Unsent(number: number)
        case .hopeless: Hopeless(number: number)
        case .busy(let advice): Busy(number: number, retryAfter: advice)
        case .refused(let advice): Refused(number: number, retryAfter: advice)
        }
    }
}

/// A random policy, the attempts of a random run of it, and the surroundings of the run.
private struct Story: Sendable {
    var maxAttempts: Int
    var delays: [Duration]
    var repeatability: Repeatability
    var maximumRetryAfter: Duration
    var limit: Duration?
    var around: Duration?
    /// The tokens of a quota in which a retry costs one; `nil` if there is no budget.
    var tokens: Int?
    /// The delay in which the task is cancelled, counted from 1.
    var cancelledIn: Int?
    var attempts: [Attempt]

    init(_ random: inout RandomSource) {
        func milliseconds(_ range: ClosedRange<Int>) -> Duration {
            .milliseconds(Int.random(in: range, using: &random))
        }
        func sometimes<Value>(_ value: @autoclosure () -> Value) -> Value? {
            Int.random(in: 0...2, using: &random) == 0 ? value() : nil
        }
        maxAttempts = Int.random(in: 1...6, using: &random)
        delays = (0..<Int.random(in: 1...6, using: &random)).map { _ in milliseconds(0...300) }
        repeatability =
            [.unproven, .idempotent, .idempotent, .duplicatesAccepted][Int.random(in: 0...3, using: &random)]
        maximumRetryAfter = milliseconds(0...800)
        limit = sometimes(milliseconds(1...1_500))
        around = sometimes(milliseconds(1...1_500))
        tokens = sometimes(Int.random(in: 1...3, using: &random))
        cancelledIn = sometimes(Int.random(in: 1...4, using: &random))
        attempts = (0..<maxAttempts).map { _ in
            let ends: [Attempt.End] = [
                .value, .unclear, .unclear, .unsent, .busy(sometimes(milliseconds(-50...600))),
                .refused(sometimes(milliseconds(0...600))), .hopeless,
            ]
            let verdicts: [RetryVerdict] = [.retry, .retry, .retry, .stop, .retryAfter(milliseconds(-50...600))]
            return Attempt(
                end: ends[Int.random(in: 0...6, using: &random)], duration: milliseconds(0...200),
                verdict: verdicts[Int.random(in: 0...4, using: &random)])
        }
    }
}

/// How a run went, as it was seen or as the rules say.
private struct Course: Equatable {
    var attempts: [RetryAttemptSeen] = []
    var events: [EventSeen] = []
    /// The attempt whose value or error the run ended with; 0 for a cancellation.
    var ending = 0
    var isValue = false
    var end = Duration.zero
    var tokens: Int?

    struct RetryAttemptSeen: Equatable {
        var at: Duration
        var previousDelay: Duration?
        var remaining: Duration?
    }

    struct EventSeen: Equatable {
        var attempt: Int
        var reason: RetryEvent.Reason
        var delay: Duration?
        var remaining: Duration?
    }
}

extension Story {
    /// What the documented rules make of the story, told from its beginning without the parts of a `Retry`.
    var expected: Course {
        var course = Course()
        let time = [limit, around].compactMap(\.self).min()
        var left = tokens
        var now = Duration.zero
        var previous: Duration?
        func ended(_ number: Int, answered: Bool = false) -> Course {
            // The latest that is true of the run: values and unclear errors are, whatever follows that proves nothing
            // of the run; then errors of attempts that ran; then any.
            let told = attempts.prefix(number).enumerated().reversed()
            let truth =
                (answered ? told.first : nil) ?? told.first { attempt in
                    switch attempt.element.end {
                    case .value, .unclear, .busy: true
                    case .unsent, .hopeless, .refused: false
                    }
                } ?? told.first { if case .refused = $0.element.end { false } else { true } } ?? told.first
            var course = course
            course.ending = (truth?.offset ?? -1) + 1
            course.isValue = truth.map { $0.element.error(1) == nil } ?? false
            course.end = now
            course.tokens = left
            return course
        }
        for (index, attempt) in attempts.enumerated() {
            let number = index + 1
            course.attempts.append(
                .init(at: now, previousDelay: previous, remaining: time.map { max(.zero, $0 - now) }))
            now += attempt.duration
            let remaining = time.map { max(.zero, $0 - now) }
            func stop(_ reason: RetryEvent.Reason) -> Course {
                course.events.append(.init(attempt: number, reason: reason, delay: nil, remaining: remaining))
                // The answer to what has the same effect however often it is asked is the answer to all of it.
                let isAnswer = reason == .stopped && !(attempt.error(number) is any Rejection)
                return ended(number, answered: isAnswer && repeatability == .idempotent)
            }
            let error = attempt.error(number)
            // A retry that a guard refused is given back.
            if number > 1 && error is any Rejection { left = left.map { $0 + 1 } }
            if error == nil && attempt.verdict == .stop {
                if let tokens { left = min(tokens, (left ?? 0) + 1) }
                return ended(number)
            }
            if error is any Permanent || attempt.verdict == .stop { return stop(.stopped) }
            if repeatability == .unproven && !(error is any NotApplied) { return stop(.unproven) }
            if number == maxAttempts { return stop(.exhausted) }
            var floor = (error as? any RetryAdvising)?.retryAfter ?? .zero
            if case .retryAfter(let advice) = attempt.verdict { floor = max(floor, advice) }
            if floor > maximumRetryAfter { return stop(.adviceTooLong) }
            guard number <= delays.count else { return stop(.exhausted) }
            let delay = max(floor, delays[index])
            if let remaining, delay >= remaining { return stop(.outOfTime) }
            if left == 0 { return stop(.budgetExhausted) }
            left = left.map { $0 - 1 }
            course.events.append(.init(attempt: number, reason: .retrying, delay: delay, remaining: remaining))
            // A delay of zero is over before anybody could cancel it.
            if number == cancelledIn && delay > .zero {
                left = left.map { $0 + 1 }
                course.end = now
                course.tokens = left
                return course
            }
            now += delay
            previous = delay
        }
        return course
    }

    /// What a `Retry` makes of it, on a clock that the test moves.
    func told() async -> Course {
        let clock = ManualClock()
        let seen = Seen()
        let budget = tokens.map { RetryBudget.quota(capacity: $0, cost: { _ in 1 }) }
        let retry = Retry(
            maxAttempts: maxAttempts, backoff: .listed(delays), within: limit, repeatability: repeatability,
            maximumRetryAfter: maximumRetryAfter, adviceJitter: 0, budget: budget, clock: clock,
            onEvent: { event in
                let (reason, delay, remaining) = (event.reason, event.delay, event.remaining)
                seen.course.withLock {
                    $0.events.append(
                        .init(attempt: event.attempt, reason: reason, delay: delay, remaining: remaining))
                }
            })
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await run(retry, clock, seen)
                seen.isOver.withLock { $0 = true }
                // Wakes who moves the clock.
                try? await clock.sleep(until: clock.now.advanced(by: .nanoseconds(1)), tolerance: nil)
            }
            while true {
                await clock.waitForSleepers()
                let (isOver, attempt) = (seen.isOver.withLock { $0 }, seen.course.withLock { $0.events.last?.attempt })
                if !isOver && attempt == cancelledIn {
                    group.cancelAll()
                    break
                }
                clock.advance(by: clock.nextWake ?? .zero)
                if isOver { break }
            }
        }
        return seen.course.withLock {
            $0.tokens = budget?.available
            return $0
        }
    }

    private func run(_ retry: Retry, _ clock: ManualClock, _ seen: Seen) async {
        func run() async throws -> Int {
            var number = 0
            return try await retry.run { attempt in
                number = attempt.number
                seen.course.withLock {
                    let (delay, remaining) = (attempt.previousDelay, attempt.remaining)
                    $0.attempts.append(.init(at: attempt.elapsed, previousDelay: delay, remaining: remaining))
                }
                clock.advance(by: attempts[number - 1].duration)
                if let error = attempts[number - 1].error(number) { throw error }
                return number
            } classifyResult: { _ in
                attempts[number - 1].verdict
            }
        }
        var (ending, isValue) = (0, false)
        do {
            if let around {
                ending = try await Deadline.after(around, clock: clock).bind(run)
            } else {
                ending = try await run()
            }
            isValue = true
        } catch {
            ending = (error as? any Numbered)?.number ?? 0
        }
        seen.course.withLock { ($0.ending, $0.isValue, $0.end) = (ending, isValue, clock.now.offset) }
    }

    private final class Seen: Sendable {
        let course = Locked(Course())
        let isOver = Locked(false)
    }
}

/// Random runs against a second telling of the rules.
@Suite struct RetryModelTests {
    @Test(.timeLimit(.minutes(10)))
    func `a random run goes as the rules say`() async throws {
        var reasons: [RetryEvent.Reason: Int] = [:]
        var (values, cancellations) = (0, 0)
        for seed in 0..<4_000 as Range<UInt64> {
            var random = RandomSource.seeded(seed)
            let story = Story(&random)
            let (expected, told) = (story.expected, await story.told())
            try #require(told == expected, "seed \(seed): \(story)")
            if let last = told.events.last, told.events.count == told.attempts.count {
                reasons[last.reason, default: 0] += 1
            }
            values += told.isValue ? 1 : 0
            cancellations += told.ending == 0 ? 1 : 0
        }
        // Every way in which a run can end has been seen; a failure of a cancelled task is not in the stories.
        for reason in [.exhausted, .stopped, .unproven, .adviceTooLong, .outOfTime, .budgetExhausted, .retrying]
            as [RetryEvent.Reason]
        {
            #expect(reasons[reason, default: 0] > 50, "\(reason)")
        }
        #expect(values > 500 && cancellations > 50)
    }
}
