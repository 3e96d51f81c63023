// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Retrying

extension SagaCoordinator {
    /// Takes a saga on from a phase that is durable, until it is over for this coordinator.
    func drive(_ run: inout SagaRun, _ first: SagaState.Next) async throws -> SagaOutcome {
        var next = first
        while true {
            let end: SagaOutcome?
            switch next {
            case .perform(let step, let attempt): (end, next) = try await perform(&run, step, attempt)
            case .probe(let step): (end, next) = try await probe(&run, step)
            case .compensate(let step, let attempt): (end, next) = try await compensate(&run, step, attempt)
            case .retryLater, .stop: preconditionFailure("A saga that is let go is not driven: \(next)")
            }
            if let end { return end }
        }
    }

    private typealias Turn = (end: SagaOutcome?, next: SagaState.Next)

    private func perform(_ run: inout SagaRun, _ index: Int, _ attempt: Int) async throws -> Turn {
        guard !Task.isCancelled else { throw await letGo(&run, notApplied: true) }
        let (step, name) = (run.steps[index], run.shape.steps[index])
        report(.stepStarted(step: name, attempt: attempt), run)
        do {
            let call = run.call(attempt)
            try await renewing(run) { try await step.perform(call) }
        } catch {
            let kind = step.classify(error)
            // No error that comes while our own task is cancelled is taken for the step's answer.
            guard !Task.isCancelled else { throw await letGo(&run, notApplied: kind == .notApplied) }
            let decision = run.state.stepFailed(kind, SagaFailure(step: name, error: error))
            return try await settle(decision, &run) { _ in [.stepFailed(step: name, kind: kind, error: error)] }
        }
        return try await settle(run.state.stepSucceeded(), &run) { _ in [.stepSucceeded(step: name)] }
    }

    private func probe(_ run: inout SagaRun, _ index: Int) async throws -> Turn {
        guard !Task.isCancelled else { throw await letGo(&run, notApplied: false) }
        guard case .probing(_, let attempts, _, _) = run.state.phase, let probe = run.steps[index].probe else {
            preconditionFailure("Nothing to probe while \(run.state.phase)")
        }
        let (name, call) = (run.shape.steps[index], run.call(max(1, attempts)))
        let answer: SagaProbeAnswer
        do {
            answer = try await renewing(run) { try await probe(call) }
        } catch {
            guard !Task.isCancelled else { throw await letGo(&run, notApplied: false) }
            let failure = SagaFailure(step: name, error: error)
            let decision = run.state.probeFailed(failure, maxAttempts: maxCompensationAttempts)
            return try await settle(decision, &run, notBefore: error) { delay in
                [.probeFailed(step: name, error: error, retryIn: delay)]
            }
        }
        return try await settle(run.state.probeAnswered(answer), &run) { _ in
            [.probed(step: name, answer: answer)] + (answer == .applied ? [.stepSucceeded(step: name)] : [])
        }
    }

    private func compensate(_ run: inout SagaRun, _ index: Int, _ attempt: Int) async throws -> Turn {
        guard let compensation = run.steps[index].compensate else {
            preconditionFailure("Step \(index) has nothing to undo")
        }
        let name = run.shape.steps[index]
        report(.compensationStarted(step: name, attempt: attempt), run)
        do {
            let (call, held) = (run.call(attempt), run)
            try await shielded { [self] in
                try await renewing(held) { try await compensation(call) }
            }
        } catch {
            let failure = SagaFailure(step: name, error: error)
            let decision = run.state.compensationFailed(failure, maxAttempts: maxCompensationAttempts)
            return try await settle(decision, &run, notBefore: error) { delay in
                [.compensationFailed(step: name, error: error, retryIn: delay)]
            }
        }
        return try await settle(run.state.compensationSucceeded(), &run) { _ in
            [.compensationSucceeded(step: name)]
        }
    }

    /// Ends the hold because our task is cancelled, so that the next coordinator need not wait for the lease.
    ///
    /// Returns the error to throw: that the saga could not be let go is reported and changes nothing for the caller.
    private func letGo(_ run: inout SagaRun, notApplied: Bool) async -> CancellationError {
        run.state.interrupted(notApplied: notApplied)
        do throws(StoreError) {
            let isIn = try await persist(&run, nil, due: .after(.zero), lease: .end)
            report(isIn ? .interrupted : .lost, run)
        } catch {
            report(.storeFailed(error), run)
        }
        return CancellationError()
    }

    /// Makes durable what was decided, reports it, and says what comes next.
    func settle(
        _ decision: SagaState.Decision, _ run: inout SagaRun, notBefore error: (any Error)? = nil,
        events: (_ delay: Duration?) -> [SagaEvent.Kind]
    ) async throws(StoreError) -> (end: SagaOutcome?, next: SagaState.Next) {
        var delay: Duration?
        var end: SagaOutcome?
        let isIn: Bool
        switch decision.next {
        case .probe:
            isIn = true
        case .perform, .compensate:
            isIn = try await persist(&run, decision.outcome, due: .after(.zero), lease: .extend(lease))
        case .retryLater(let attempt):
            let advised = (error as? any RetryAdvising)?.retryAfter ?? .zero
            let wait = backoff.delayOrLast(
                afterAttempt: attempt, notBefore: advised, upTo: .seconds(86_400), using: randomness)
            (delay, end) = (wait, .pending(retryIn: wait))
            isIn = try await persist(&run, nil, due: .after(wait), lease: .end)
        case .stop:
            end = run.state.phase.outcome
            isIn = try await persist(&run, decision.outcome, due: .never, lease: .end)
        }
        guard isIn else {
            report(.lost, run)
            return (.lost, decision.next)
        }
        for event in events(delay) { report(event, run) }
        if let end, let event = SagaEvent.Kind(end) { report(event, run) }
        return (end, decision.next)
    }

    /// Renews the lease at every third of it while the operation runs.
    ///
    /// A lease that is lost all the same stops the renewal alone: the next commit finds out and writes nothing.
    private func renewing<Success: Sendable>(
        _ run: SagaRun, _ operation: () async throws -> Success
    ) async throws -> Success {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.renew(run) }
            defer { group.cancelAll() }
            return try await operation()
        }
    }

    private func renew(_ run: SagaRun) async {
        // The only error of the sleep is its cancellation: the operation is over.
        while (try? await time.sleep(for: lease / 3)) != nil {
            do throws(StoreError) {
                guard case .extended = try await store.extend(run.id, fence: run.fence, lease: lease) else { return }
            } catch {
                report(.storeFailed(error), run)
            }
        }
    }
}

extension SagaEvent.Kind {
    /// The event for the end of a saga; the other outcomes have been reported where they came up.
    fileprivate init?(_ outcome: SagaOutcome) {
        switch outcome {
        case .completed: self = .completed
        case .compensated(let failure): self = .compensated(failure)
        case .stuck(let stuck): self = .stuck(stuck)
        case .pending, .lost: return nil
        }
    }
}
