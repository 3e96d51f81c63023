// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaState {
    /// Goes on as far as it can, and says what is to be called.
    ///
    /// - Parameters:
    ///   - now: The present, in the store's time.
    ///   - deadline: When the saga turns back unless it is past its pivot.
    ///   - begins: Whether calls may begin; `false` where the coordinator is about to stop.
    mutating func proceed(at now: Timestamp, deadline: Timestamp?, begins: Bool) -> Turn {
        var turn = Turn()
        while !hasEnded {
            wake(at: now, &turn)
            let goesOn: Bool
            switch course {
            case .forward: goesOn = proceedForward(at: now, deadline: deadline, &turn)
            case .backward(let cause): goesOn = proceedBackward(cause)
            case .completed, .compensated: return turn
            }
            if !goesOn { break }
        }
        if begins { begin(at: now, &turn) }
        return turn
    }

    /// What follows.
    struct Turn: Hashable, Sendable {
        /// What is to be kept.
        var entries: [SagaEntry] = []
        /// What is to be called, when the state is durable.
        var commands: [Command] = []
    }

    /// Ends the waits whose time has come.
    private mutating func wake(at now: Timestamp, _ turn: inout Turn) {
        for branch in branches.indices {
            guard let until = branches[branch].wakesAt, until <= now else { continue }
            let traits = traits(of: branch)
            switch (branches[branch].activity, course, traits.kind) {
            case (.askingAgain, _, _):
                branches[branch].activity = .doubtful
            case (_, .forward, .timer):
                end(branch, .succeeded, &turn)
            case (_, .forward, .event) where received.contains(traits.name):
                end(branch, .succeeded, &turn)
            case (_, .forward, .event):
                let missing = SagaEventMissing(event: traits.name)
                branches[branch].failed(with: SagaFailure(step: traits.name, error: missing))
                end(branch, .notApplied, &turn)
            default:
                branches[branch].activity = .idle
            }
        }
    }

    /// Turns back, or takes up the next stage; whether there is more to decide.
    private mutating func proceedForward(at now: Timestamp, deadline: Timestamp?, _ turn: inout Turn) -> Bool {
        giveUpLate(at: now, &turn)
        if canGoBack, turningBack == nil {
            if let failed = branches.first(where: { $0.activity == .failed || $0.activity == .notApplied }) {
                turningBack = failed.lastFailure
            } else if let deadline, deadline <= now {
                turningBack = SagaFailure(step: traits(of: 0).name, error: SagaDeadlinePassed())
            }
        }
        if let cause = turningBack, !isPivotDone {
            abandonWaits(&turn)
            guard branches.allSatisfy(\.hasEnded) else { return false }
            turningBack = nil
            goBack(because: cause)
            return true
        }
        // A pivot that has taken effect all the same leaves only the way forward.
        turningBack = nil
        listen(at: now, &turn)
        guard branches.allSatisfy({ $0.activity == .done }) else { return false }
        guard stage + 1 < traits.stages.count else {
            course = .completed
            branches = []
            return false
        }
        stage += 1
        branches = traits.stages[stage].map { _ in SagaBranch() }
        return true
    }

    /// Ends what would be called again, because of a crash or later than it was to be, and has no time left for that.
    private mutating func giveUpLate(at now: Timestamp, _ turn: inout Turn) {
        for branch in branches.indices where branches[branch].activity == .idle {
            let traits = traits(of: branch)
            guard let limit = traits.limit, let since = branches[branch].since, since.advanced(by: limit) <= now
            else { continue }
            if branches[branch].lastFailure == nil {
                branches[branch].failed(with: SagaFailure(step: traits.name, error: SagaTimeLimitPassed()))
            }
            turn.entries += retryOrEnd(branch, at: nil)
        }
    }

    /// Whether the saga is at a pivot that has taken effect, and is about to pass it.
    var isPivotDone: Bool { stage == traits.pivot && branches[0].activity == .done }

    /// Before the saga goes back, nothing is begun and nothing waited for any more but the answers of probes.
    private mutating func abandonWaits(_ turn: inout Turn) {
        for branch in branches.indices where !isPivotInDoubt(branch) {
            switch branches[branch].activity {
            case .waiting, .listening, .idle:
                end(branch, branches[branch].mayHaveEffect ? .failed : .notApplied, &turn)
            case .calling, .interrupted, .doubtful, .asking, .askingAgain, .parked, .done, .failed, .notApplied:
                break
            }
        }
    }

    /// Whether the step is a pivot that may have taken effect: it has nothing that undoes it, so it has to be called
    /// until that is known.
    func isPivotInDoubt(_ branch: Int) -> Bool {
        traits(of: branch).kind == .pivot && branches[branch].mayHaveEffect
    }

    /// Begins the waits of events and timers, and ends those of events that have come.
    private mutating func listen(at now: Timestamp, _ turn: inout Turn) {
        for branch in branches.indices {
            let traits = traits(of: branch)
            switch (traits.kind, branches[branch].activity) {
            case (.event, .idle), (.event, .waiting), (.event, .listening):
                if received.contains(traits.name) { end(branch, .succeeded, &turn) }
            default:
                break
            }
            guard traits.kind == .event || traits.kind == .timer, branches[branch].activity == .idle else { continue }
            branches[branch].since = now
            branches[branch].activity = traits.wait.map { .waiting(until: now.advanced(by: $0)) } ?? .listening
        }
    }

    private mutating func goBack(because cause: SagaFailure) {
        course = .backward(cause)
        undo(branches.map(\.needsUndoing))
    }

    /// Undoes the steps of the present stage that need it; there may be none.
    private mutating func undo(_ needed: [Bool]) {
        branches = needed.indices.map { branch in
            needed[branch] && traits(of: branch).kind == .compensatable ? SagaBranch() : SagaBranch(activity: .done)
        }
    }

    /// Takes the stage before, or ends; whether there is more to decide.
    private mutating func proceedBackward(_ cause: SagaFailure) -> Bool {
        guard branches.allSatisfy({ $0.activity == .done }) else { return false }
        guard stage > 0 else {
            course = .compensated(cause)
            branches = []
            return false
        }
        stage -= 1
        undo(traits.stages[stage].map { _ in true })
        return true
    }

    /// Begins what is idle.
    private mutating func begin(at now: Timestamp, _ turn: inout Turn) {
        for branch in branches.indices {
            let step = step(of: branch)
            switch (branches[branch].activity, course) {
            case (.doubtful, _):
                branches[branch].activity = .asking
                // Somebody may have had its calls counted anew since the one that it asks about.
                turn.commands.append(.ask(step: step, attempt: max(1, branches[branch].attempts)))
            case (.idle, .forward):
                branches[branch].call(now: now)
                turn.commands.append(.perform(step: step, attempt: branches[branch].attempts))
            case (.idle, .backward):
                branches[branch].call(now: now)
                turn.commands.append(.compensate(step: step, attempt: branches[branch].attempts))
            default:
                break
            }
        }
    }

    /// Ends a branch and keeps how.
    mutating func end(_ branch: Int, _ kind: SagaEntry.Kind, _ turn: inout Turn) {
        let ended = branches[branch]
        switch kind {
        case .succeeded, .compensated, .skipped: branches[branch].activity = .done
        case .failed: branches[branch].activity = .failed
        case .notApplied: branches[branch].activity = .notApplied
        case .signalled, .retried, .aborted, .refused, .migrated: preconditionFailure("\(kind) is no end of a step")
        }
        guard kind != .notApplied || ended.attempts > 0 || ended.hasFailed else {
            // It was never begun.
            return
        }
        turn.entries.append(
            SagaEntry(
                kind: kind, step: traits(of: branch).name, attempts: ended.attempts,
                failure: kind == .failed || kind == .notApplied ? ended.lastFailure : nil))
    }
}
