// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What the core has to know of a step.
struct SagaStepTraits: Hashable, Sendable {
    /// What to do when a step may have taken effect.
    enum IfUnknown: Hashable, Sendable {
        case reexecute
        case probe
        case park
    }

    let name: String
    let ifUnknown: IfUnknown
    let isCompensable: Bool
}

/// The decisions of a saga: which action, probe or compensation comes next.
///
/// It knows no store, clock or task. Each input answers with what to do next; the new phase is made durable before an
/// action or a compensation runs, so that what is found after a crash tells what may have happened.
struct SagaState: Hashable, Sendable {
    /// Whether the action of a step may have been called.
    enum Trace: UInt8, Hashable, Sendable {
        /// No: neither now nor earlier.
        case notCalled
        /// It is being called for the first time, or again after it is certain that no earlier call took effect.
        case called
        /// It is being called, and an earlier call may have taken effect.
        case calledAgain
    }

    /// Where a saga stands.
    enum Phase: Hashable, Sendable {
        /// All steps before this one took effect; `attempts` counts the calls of its action.
        case running(step: Int, attempts: Int, Trace)
        /// The step may have taken effect, after a failure or an interruption, and its probe is asked.
        case probing(step: Int, attempts: Int, failure: SagaFailure?, probes: Int)
        /// The compensation of this step comes next or may have run; those of all later steps are through.
        case compensating(step: Int, attempts: Int, SagaFailure)
        /// Every step took effect.
        case completed
        /// Everything that took effect is undone.
        case compensated(SagaFailure)
        /// Somebody has to look.
        case stuck(step: Int, attempts: Int, SagaStuck)
    }

    let steps: [SagaStepTraits]
    private(set) var phase: Phase

    /// A saga of these steps, at least one, of which none has begun.
    init(steps: [SagaStepTraits]) {
        self.init(steps: steps, phase: .running(step: 0, attempts: 0, .notCalled))
    }

    init(steps: [SagaStepTraits], phase: Phase) {
        self.steps = steps
        self.phase = phase
    }

    /// What follows an input.
    struct Decision: Hashable, Sendable {
        /// The end of a step's action or compensation, to be kept.
        var outcome: SagaStepOutcome?
        /// What comes next.
        var next: Next
    }

    /// What comes next. Before all but a probe, the phase is made durable.
    enum Next: Hashable, Sendable {
        /// Call the step's action.
        case perform(step: Int, attempt: Int)
        /// Ask the step's probe.
        case probe(step: Int)
        /// Call the step's compensation.
        case compensate(step: Int, attempt: Int)
        /// Let go, and resume after the delay that follows attempt `attempt`.
        case retryLater(attempt: Int)
        /// Nothing: the phase is final.
        case stop
    }

    /// The saga is taken up, for the first time or after whoever drove it let go, lost it or died.
    mutating func resume() -> Decision {
        switch phase {
        case .running(let step, let attempts, .notCalled):
            return perform(step, attempt: attempts + 1, .called)
        case .running(let step, let attempts, .called), .running(let step, let attempts, .calledAgain):
            switch steps[step].ifUnknown {
            case .reexecute: return perform(step, attempt: attempts + 1, .calledAgain)
            case .probe: return probe(step, attempts: attempts, failure: nil)
            case .park: return park(step, attempts: attempts, .outcomeUnknown, failure: nil)
            }
        case .probing(let step, _, _, _):
            return Decision(next: .probe(step: step))
        case .compensating(let step, let attempts, let failure):
            return compensate(step, attempt: attempts + 1, failure)
        case .completed, .compensated, .stuck:
            // Final phases stay.
            return Decision(next: .stop)
        }
    }

    /// The action returned.
    mutating func stepSucceeded() -> Decision {
        guard case .running(let step, let attempts, _) = phase else { impossible("stepSucceeded") }
        return advance(past: step, attempts: attempts)
    }

    /// The action threw.
    mutating func stepFailed(_ kind: SagaErrorKind, _ failure: SagaFailure) -> Decision {
        guard case .running(let step, let attempts, let trace) = phase else { impossible("stepFailed") }
        switch kind {
        case .notApplied where trace == .called:
            return unwind(from: step - 1, failure, outcome(step, .notApplied, attempts, failure))
        case .notApplied, .failed:
            // That this call took no effect says nothing about an earlier one: the step is compensated as well.
            return unwind(from: step, failure, outcome(step, .failed, attempts, failure))
        case .unknown:
            switch steps[step].ifUnknown {
            case .reexecute: return unwind(from: step, failure, outcome(step, .failed, attempts, failure))
            case .probe: return probe(step, attempts: attempts, failure: failure)
            case .park: return park(step, attempts: attempts, .outcomeUnknown, failure: failure)
            }
        }
    }

    /// Whoever drives the saga was cancelled and lets go; `notApplied` if the present call certainly took no effect.
    ///
    /// The call is not counted. Nothing but the next coordinator's rule for the unknown follows from it.
    mutating func interrupted(notApplied: Bool) {
        switch phase {
        case .running(let step, let attempts, let trace):
            phase = .running(
                step: step, attempts: attempts - 1, trace == .called && notApplied ? .notCalled : trace)
        case .probing:
            // The probe is asked again.
            break
        case .compensating, .completed, .compensated, .stuck:
            impossible("interrupted")
        }
    }

    /// The probe answered.
    mutating func probeAnswered(_ answer: SagaProbeAnswer) -> Decision {
        guard case .probing(let step, let attempts, let failure, _) = phase else { impossible("probeAnswered") }
        switch (answer, failure) {
        case (.applied, _):
            return advance(past: step, attempts: attempts)
        case (.notApplied, .some(let failure)):
            return unwind(from: step - 1, failure, outcome(step, .notApplied, attempts, failure))
        case (.notApplied, .none):
            return perform(step, attempt: attempts + 1, .called)
        case (.unknown, _):
            return park(step, attempts: attempts, .outcomeUnknown, failure: failure)
        }
    }

    /// The probe threw; after `maxAttempts` of that the saga is stuck.
    mutating func probeFailed(_ error: SagaFailure, maxAttempts: Int) -> Decision {
        guard case .probing(let step, let attempts, let failure, let probes) = phase else { impossible("probeFailed") }
        guard probes + 1 < maxAttempts else {
            return park(step, attempts: attempts, .probeFailed, failure: failure, lastError: error)
        }
        phase = .probing(step: step, attempts: attempts, failure: failure, probes: probes + 1)
        return Decision(next: .retryLater(attempt: probes + 1))
    }

    /// The compensation returned.
    mutating func compensationSucceeded() -> Decision {
        guard case .compensating(let step, let attempts, let failure) = phase else {
            impossible("compensationSucceeded")
        }
        return unwind(from: step - 1, failure, outcome(step, .compensated, attempts, nil))
    }

    /// The compensation threw; after `maxAttempts` calls of it the saga is stuck.
    mutating func compensationFailed(_ error: SagaFailure, maxAttempts: Int) -> Decision {
        guard case .compensating(let step, let attempts, let failure) = phase else { impossible("compensationFailed") }
        guard attempts < maxAttempts else {
            return park(step, attempts: attempts, .compensationFailed, failure: failure, lastError: error)
        }
        return Decision(next: .retryLater(attempt: attempts))
    }
}

extension SagaState {
    private mutating func perform(
        _ step: Int, attempt: Int, _ trace: Trace, _ outcome: SagaStepOutcome? = nil
    ) -> Decision {
        phase = .running(step: step, attempts: attempt, trace)
        return Decision(outcome: outcome, next: .perform(step: step, attempt: attempt))
    }

    private mutating func probe(_ step: Int, attempts: Int, failure: SagaFailure?) -> Decision {
        phase = .probing(step: step, attempts: attempts, failure: failure, probes: 0)
        return Decision(next: .probe(step: step))
    }

    private mutating func compensate(
        _ step: Int, attempt: Int, _ failure: SagaFailure, _ outcome: SagaStepOutcome? = nil
    ) -> Decision {
        phase = .compensating(step: step, attempts: attempt, failure)
        return Decision(outcome: outcome, next: .compensate(step: step, attempt: attempt))
    }

    private mutating func advance(past step: Int, attempts: Int) -> Decision {
        let outcome = outcome(step, .succeeded, attempts, nil)
        guard step + 1 < steps.count else {
            phase = .completed
            return Decision(outcome: outcome, next: .stop)
        }
        return perform(step + 1, attempt: 1, .called, outcome)
    }

    /// Goes back to the last step at or before `step` that has something to undo.
    private mutating func unwind(from step: Int, _ failure: SagaFailure, _ outcome: SagaStepOutcome) -> Decision {
        guard let step = steps.indices.prefix(step + 1).last(where: { steps[$0].isCompensable }) else {
            phase = .compensated(failure)
            return Decision(outcome: outcome, next: .stop)
        }
        return compensate(step, attempt: 1, failure, outcome)
    }

    private mutating func park(
        _ step: Int, attempts: Int, _ reason: SagaStuck.Reason, failure: SagaFailure?, lastError: SagaFailure? = nil
    ) -> Decision {
        let stuck = SagaStuck(reason: reason, step: steps[step].name, failure: failure, lastError: lastError)
        phase = .stuck(step: step, attempts: attempts, stuck)
        return Decision(next: .stop)
    }

    private func outcome(
        _ step: Int, _ result: SagaStepOutcome.Result, _ attempts: Int, _ failure: SagaFailure?
    ) -> SagaStepOutcome {
        SagaStepOutcome(step: steps[step].name, result: result, attempts: attempts, failure: failure)
    }

    private func impossible(_ input: String) -> Never {
        preconditionFailure("A saga gets no \(input) while it is \(phase)")
    }
}
