// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// What a run of a ``Retry`` keeps between its attempts.
private struct RetryRun {
    var course: RetryCourse
    /// When it began; `nil` if nobody asks.
    let start: Int64?
    /// What the present attempt took out of the budget; `nil` for the first.
    var receipt: BudgetReceipt?

    /// What remains for the run, in nanoseconds; `nil` if it has no end.
    var remaining: Int64? { Deadline.current?.remaining.nanosecondsRoundedDown }
}

extension Retry {
    /// Lets no run begin under a deadline that has passed. Reads no clock where there is none.
    @usableFromInline
    func checkDeadline() throws {
        guard let deadline = Deadline.current, deadline.hasPassed else { return }
        let refusal = DeadlinePassed(deadline)
        onEvent?(
            RetryEvent(
                name: name, attempt: 0, error: refusal, delay: nil, reason: .outOfTime, previousDelay: nil,
                elapsed: nil, remaining: .zero))
        throw refusal
    }

    /// Begins a run that is measured.
    @usableFromInline
    func begin() throws -> Int64 {
        try checkDeadline()
        budget?.deposit()
        return time.now()
    }

    /// What the first attempt is told.
    @usableFromInline
    func firstAttempt() -> RetryAttempt {
        RetryAttempt(number: 1, previousDelay: nil, elapsed: .zero, remaining: Deadline.current?.remaining)
    }

    /// A whole run under the limit.
    @usableFromInline
    func runLimited<Success>(_ operation: () async throws -> Success) async throws -> Success {
        try await underLimit {
            let start = try begin()
            let failure: any Error
            do {
                let value = try await operation()
                budget?.succeeded()
                return value
            } catch {
                failure = error
            }
            return try await runAgain(after: failure, startedAt: start) { _ in try await operation() }
        }
    }

    /// A whole run under the limit, of an operation that is told which attempt it is in.
    @usableFromInline
    func runLimited<Success>(_ operation: (RetryAttempt) async throws -> Success) async throws -> Success {
        try await runWatched(verdict, operation)
    }

    /// A whole run, the results of which are looked at.
    func runWatched<Success>(
        _ classifyResult: (Result<Success, any Error>) -> RetryVerdict,
        _ operation: (RetryAttempt) async throws -> Success
    ) async throws -> Success {
        try await underLimit {
            var run = RetryRun(course: RetryCourse(rules.repeatability), start: try begin())
            let first = await result(of: operation, in: run)
            return try await settle(first, in: &run, classifyResult, operation)
        }
    }

    private func underLimit<Success>(_ run: () async throws -> Success) async throws -> Success {
        guard let limit else { return try await run() }
        return try await Deadline(limit, name, time).bind(run)
    }

    /// Everything after a first attempt that failed.
    ///
    /// - Parameter start: When the run began; `nil` if nobody asks.
    @usableFromInline
    func runAgain<Success>(
        after failure: any Error, startedAt start: Int64?, _ operation: (RetryAttempt) async throws -> Success
    ) async throws -> Success {
        var run = RetryRun(course: RetryCourse(rules.repeatability), start: start)
        return try await settle(.failure(failure), in: &run, verdict, operation)
    }

    /// The verdict where values are not looked at.
    func verdict<Success>(on result: Result<Success, any Error>) -> RetryVerdict {
        switch result {
        case .success: .stop
        case .failure(let error): rules.classify?(error) ?? .retry
        }
    }

    private func result<Success>(
        of operation: (RetryAttempt) async throws -> Success, in run: RetryRun
    ) async -> Result<Success, any Error> {
        let attempt = RetryAttempt(
            number: run.course.attempt, previousDelay: run.course.previousDelay.map { .nanoseconds($0) },
            elapsed: elapsed(in: run) ?? .zero, remaining: run.remaining.map { .nanoseconds($0) })
        do {
            return .success(try await operation(attempt))
        } catch {
            return .failure(error)
        }
    }

    /// Makes attempts until one is the end of the run.
    private func settle<Success>(
        _ first: Result<Success, any Error>, in run: inout RetryRun,
        _ classifyResult: (Result<Success, any Error>) -> RetryVerdict,
        _ operation: (RetryAttempt) async throws -> Success
    ) async throws -> Success {
        var result = first
        var latest: Success?
        while true {
            let step: RetryCourse.Step
            var failure: (any Error)?
            switch result {
            case .success(let value):
                let verdict = classifyResult(result)
                guard verdict != .stop else {
                    if let receipt = run.receipt { budget?.succeeded(after: receipt) } else { budget?.succeeded() }
                    return value
                }
                latest = value
                step = run.course.returnedValue(
                    asking: verdict, isCancelled: Task.isCancelled, remaining: run.remaining, rules: rules)
            case .failure(let error):
                failure = error
                if let receipt = run.receipt { budget?.failed(receipt, with: error) }
                step = run.course.failed(
                    with: error, isCancelled: Task.isCancelled, remaining: run.remaining, rules: rules,
                    classify: { classifyResult(.failure($0)) })
            }
            guard let answer = try await take(step, after: failure, in: &run) else {
                result = await self.result(of: operation, in: run)
                continue
            }
            switch (answer, latest) {
            case (.error(let error), _): throw error
            case (.value, let latest?): return latest
            case (.value, nil): preconditionFailure("A run ended with a value before an attempt returned one")
            }
        }
    }

    /// Waits until the next attempt may begin and returns `nil`, or returns what the run ends with.
    private func take(
        _ step: RetryCourse.Step, after error: (any Error)?, in run: inout RetryRun
    ) async throws -> RetryCourse.Answer? {
        let nanoseconds: Int64
        switch step {
        case .surface(let cancellation):
            throw cancellation
        case .end(let reason):
            if reason.isFailureOfNeighbour { budget?.gaveUp(after: error) }
            report(reason, error, delay: nil, run)
            return run.course.answer
        case .attempt(after: let delay):
            nanoseconds = delay
        }
        // Before the delay, so that those who wait count.
        let receipt = budget?.take(after: error)
        if budget != nil && receipt == nil {
            report(.budgetExhausted, error, delay: nil, run)
            return run.course.answer
        }
        let delay = Duration.nanoseconds(nanoseconds)
        report(.retrying, error, delay: delay, run)
        do {
            try await time.sleep(for: delay)
            // A clock may wake a task that was cancelled while it slept; no attempt starts after that.
            try Task.checkCancellation()
        } catch {
            if let receipt { budget?.giveBack(receipt) }
            throw error
        }
        if let remaining = run.remaining, remaining <= 0 {
            if let receipt { budget?.giveBack(receipt) }
            report(.outOfTime, error, delay: nil, run)
            return run.course.answer
        }
        run.receipt = receipt.flatMap { budget?.begin($0) }
        run.course.begins(after: nanoseconds)
        return nil
    }

    private func elapsed(in run: RetryRun) -> Duration? {
        run.start.map { .nanoseconds(time.now().subtractingSaturating($0)) }
    }

    private func report(_ reason: RetryEvent.Reason, _ error: (any Error)?, delay: Duration?, _ run: RetryRun) {
        guard let onEvent else { return }
        onEvent(
            RetryEvent(
                name: name, attempt: run.course.attempt, error: error, delay: delay, reason: reason,
                previousDelay: run.course.previousDelay.map { .nanoseconds($0) }, elapsed: elapsed(in: run),
                remaining: run.remaining.map { .nanoseconds($0) }))
    }
}
