// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaState {
    /// The saga was taken up after whoever drove it let go, lost it or died.
    ///
    /// - Parameter maxCrashes: How often a coordinator may end in the middle of a call before the saga is stuck.
    mutating func resume(maxCrashes: Int) {
        for branch in branches.indices {
            switch branches[branch].activity {
            case .calling, .asking:
                let wasAsked = branches[branch].activity == .asking
                branches[branch].crashes += 1
                if branches[branch].crashes > maxCrashes {
                    branches[branch].activity = .parked(.crashed)
                    branches[branch].mayHaveEffect = traits(of: branch).kind != .reading
                } else if wasAsked {
                    branches[branch].activity = .doubtful
                } else {
                    interrupted(branch)
                }
            case .interrupted:
                interrupted(branch)
            case .idle, .doubtful, .waiting, .listening, .askingAgain, .parked, .done, .failed, .notApplied:
                break
            }
            // What to do with the unknown is a policy: it may be another one than when the question came up.
            if branches[branch].isInQuestion, traits(of: branch).ifUnknown != .probe { interrupted(branch) }
        }
    }

    /// Nobody knows what became of a call.
    private mutating func interrupted(_ branch: Int) {
        guard course == .forward, traits(of: branch).kind != .reading else {
            branches[branch].activity = .idle
            return
        }
        branches[branch].mayHaveEffect = true
        switch traits(of: branch).ifUnknown {
        case .reexecute: branches[branch].activity = .idle
        case .probe: branches[branch].activity = .doubtful
        case .park: branches[branch].activity = .parked(.outcomeUnknown)
        }
    }

    /// The coordinator is about to stop, and a call was cut short by that; it is not counted.
    mutating func cutShort(_ step: Int, notApplied: Bool) {
        let branch = calling(step)
        branches[branch].attempts -= 1
        branches[branch].activity = notApplied ? .idle : .interrupted
    }

    /// The coordinator is about to stop, and a probe was cut short by that.
    mutating func leftUnasked(_ step: Int) { branches[asking(step)].activity = .doubtful }

    /// The action returned.
    mutating func succeeded(_ step: Int) -> [SagaEntry] { ended(calling(step), .succeeded) }

    /// The compensation returned.
    mutating func undone(_ step: Int) -> [SagaEntry] { ended(calling(step), .compensated) }

    /// The action threw.
    ///
    /// - Parameters:
    ///   - kind: What the error says about its effect.
    ///   - retryAt: When the step's policy would call it again; `nil` if it would not.
    mutating func failed(
        _ step: Int, _ kind: SagaErrorKind, _ failure: SagaFailure, retryAt: Timestamp?
    ) -> [SagaEntry] {
        let branch = calling(step)
        let traits = traits(of: branch)
        branches[branch].failed(with: failure)
        switch (kind, traits.kind) {
        case (.refused, _):
            branches[branch].mayHaveEffect = false
            return retryOrEnd(branch, at: nil)
        case (.notApplied, _), (.unknown, .reading):
            return retryOrEnd(branch, at: retryAt)
        case (.failed, .reading):
            return retryOrEnd(branch, at: nil)
        case (.failed, _), (.unknown, _):
            branches[branch].mayHaveEffect = true
        }
        switch (traits.ifUnknown, kind, traits.kind) {
        case (_, .failed, .compensatable):
            return ended(branch, .failed)
        case (.probe, _, _):
            branches[branch].activity = .doubtful
        case (_, .failed, _):
            branches[branch].activity = .parked(.attemptsExhausted)
        case (.park, _, _):
            branches[branch].activity = .parked(.outcomeUnknown)
        case (.reexecute, _, _):
            return retryOrEnd(branch, at: retryAt)
        }
        return []
    }

    /// The probe answered.
    ///
    /// - Parameter retryAt: When the step's policy would call the action again; `nil` if it would not.
    mutating func answered(_ step: Int, _ answer: SagaProbeResult, retryAt: Timestamp?) -> [SagaEntry] {
        let branch = asking(step)
        branches[branch].probes = 0
        switch answer {
        case .applied:
            return ended(branch, .succeeded)
        case .notApplied:
            branches[branch].mayHaveEffect = false
            guard branches[branch].hasFailed else {
                // Its coordinator ended in the middle of the call; the step did not fail.
                branches[branch].activity = .idle
                return []
            }
            return retryOrEnd(branch, at: retryAt)
        case .unknown:
            branches[branch].activity = .parked(.outcomeUnknown)
            return []
        }
    }

    /// The probe threw, and is asked again then, or never.
    mutating func askFailed(_ step: Int, _ failure: SagaFailure, retryAt: Timestamp?) {
        let branch = asking(step)
        branches[branch].probes += 1
        branches[branch].askFailure = failure
        branches[branch].activity = retryAt.map { .askingAgain(at: $0) } ?? .parked(.probeFailed)
    }

    /// The compensation threw, and is called again then, or never.
    mutating func undoingFailed(_ step: Int, _ failure: SagaFailure, retryAt: Timestamp?) {
        let branch = calling(step)
        branches[branch].failed(with: failure)
        branches[branch].activity = retryAt.map { .waiting(until: $0) } ?? .parked(.compensationFailed)
    }

    /// Whether the saga may go back while this step is being taken.
    func canTurn(step: Int) -> Bool { branch(of: step).map { canTurn($0) } ?? false }

    /// Whether the saga may go back because of this step.
    private func canTurn(_ branch: Int) -> Bool { canGoBack && !isPivotInDoubt(branch) }

    /// Waits for the next call of an action that failed, or ends the step's way forward.
    mutating func retryOrEnd(_ branch: Int, at retryAt: Timestamp?) -> [SagaEntry] {
        if let retryAt, turningBack == nil || !canTurn(branch) {
            branches[branch].activity = .waiting(until: retryAt)
            return []
        }
        guard canTurn(branch) else {
            branches[branch].activity = .parked(.attemptsExhausted)
            return []
        }
        return ended(branch, branches[branch].mayHaveEffect ? .failed : .notApplied)
    }

    private mutating func ended(_ branch: Int, _ kind: SagaEntry.Kind) -> [SagaEntry] {
        var turn = Turn()
        end(branch, kind, &turn)
        return turn.entries
    }

    private func calling(_ step: Int) -> Int { expected(step, .calling) }

    private func asking(_ step: Int) -> Int { expected(step, .asking) }

    private func expected(_ step: Int, _ activity: SagaBranch.Activity) -> Int {
        guard let branch = branch(of: step), branches[branch].activity == activity else {
            preconditionFailure("Step \(step) is not \(activity) in \(self)")
        }
        return branch
    }
}
