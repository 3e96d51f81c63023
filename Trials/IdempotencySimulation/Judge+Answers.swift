// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// What callers get.
extension Judge {
    func started(_ call: Call) {
        note("call \(call.number) asks for key \(call.key), request \(call.request), in process \(call.process)")
        state.withLock { state in
            state.calls[call.number] = call
            state.keys[call.key].requests.insert(call.request)
        }
    }

    func cancelled(_ number: Int) {
        note("call \(number) is cancelled")
        state.withLock { $0.calls[number]?.isCancelled = true }
    }

    /// The process of a call is gone: it does nothing more, and nobody hears of it.
    func died(process: Int) {
        note("process \(process) ends")
        state.withLock { state in
            for (number, call) in state.calls where call.process == process { state.calls[number]?.isOpen = false }
        }
    }

    /// A caller has got a value or an error.
    func ended(_ number: Int, _ result: Result<IdempotentResult<Charge>, any Error>) {
        note("call \(number) ends: \(result)")
        state.withLock { state in
            guard let call = state.calls[number], call.isOpen else { return }
            state.calls[number]?.isOpen = false
            state.calls[number]?.result = result
            switch result {
            case .success(let result): check(&state, call, result)
            case .failure(let error): check(&state, call, error)
            }
        }
    }

    private func check(_ state: inout State, _ call: Call, _ result: IdempotentResult<Charge>) {
        let charge = result.value
        checkIsTrue(&state, call, charge)
        switch result.origin {
        case .unprotected:
            if call.run.map({ state.runs[$0].fence != nil }) ?? true {
                state.accuse("call \(call.number) is said to be unprotected and is not")
            }
        case .fresh:
            guard case .value(charge)? = call.run.map({ state.runs[$0].end }) ?? nil else {
                if charge.form != .nothing { state.accuse("call \(call.number) has a fresh value of another run") }
                return
            }
            if charge.form == .nothing { return }
            noteIsFresh(&state, call)
        case .replayed(let at, _): tell(&state, call.key, charge.outcome, at: at)
        }
    }

    /// A caller was told that its own outcome is kept.
    func noteIsFresh(_ state: inout State, _ call: Call) {
        guard let hold = state.calls[call.number]?.hold else { return }
        let isKept = state.keys[call.key].completions.contains {
            $0.run == call.run && $0.fence >= hold.fence && $0.at != nil
        }
        // After a lost reply nothing but the caller's value says that it is kept: then the end of the story tells.
        if !isKept { state.calls[call.number]?.isToBeKept = true }
    }

    /// A value has to stand for an effect of that very key and request.
    func checkIsTrue(_ state: inout State, _ call: Call, _ charge: Charge) {
        guard charge.key == call.key, charge.request == call.request else {
            return state.accuse("call \(call.number) for request \(call.request) got \(charge)")
        }
        if charge.form == .nothing { return }
        guard let effect = provider.effect(charge.receipt), effect.key == call.key, effect.request == call.request,
            effect.step == .charge
        else { return state.accuse("call \(call.number) got \(charge), and there is no such effect") }
    }

    func check(_ state: inout State, _ call: Call, _ error: any Error) {
        let run = call.run.map { state.runs[$0] }
        if let thrown = run?.error, "\(error)" == thrown { return }
        let key = state.keys[call.key]
        switch error {
        case is IdempotencyMismatch:
            if run != nil { state.accuse("call \(call.number) is a mismatch and ran") }
            if key.requests.count < 2 { state.accuse("call \(call.number) mismatches its own request") }
        case is IdempotencyInFlight, is IdempotencyOutcomeUnknown:
            if run != nil { state.accuse("call \(call.number) was turned away and ran") }
            if key.claimingCalls == [call.number] { state.accuse("call \(call.number) met nobody and got \(error)") }
            if let unknown = error as? IdempotencyOutcomeUnknown { check(&state, call, unknown) }
        case let omitted as IdempotencyOutputOmitted:
            if run != nil { state.accuse("call \(call.number) was given a replay and ran") }
            tell(&state, call.key, .omitted(size: omitted.size), at: omitted.completedAt)
        case let declined as Declined:
            if run != nil { state.accuse("call \(call.number) was given a replay and ran") }
            if declined.key != call.key || declined.request != call.request {
                state.accuse("call \(call.number) got \(declined)")
            }
            if !key.completions.contains(where: { $0.outcome == declined.outcome }) {
                state.accuse("call \(call.number) got \(declined), which nobody had kept")
            }
        case let lost as IdempotencyLeaseLost<Charge>:
            if case .success(let charge) = lost.result { checkIsTrue(&state, call, charge) }
            checkLoss(&state, call)
        case let unsettled as IdempotencyUnsettled<Charge>: checkIsTrue(&state, call, unsettled.value)
        case is CancellationError:
            if !call.isCancelled { state.accuse("call \(call.number) ended as cancelled and nobody had cancelled it") }
            if run != nil { state.accuse("call \(call.number) ran and hides its outcome behind a cancellation") }
        case is StoreError:
            if run != nil { state.accuse("call \(call.number) ran and hides its outcome behind \(error)") }
            if !state.isDisturbed { state.accuse("call \(call.number) failed for no reason: \(error)") }
        default: state.accuse("call \(call.number) ended with \(error)")
        }
    }

    /// An unknown outcome is told to those alone whose request it is.
    private func check(_ state: inout State, _ call: Call, _ error: IdempotencyOutcomeUnknown) {
        let runs = state.protectedRuns(of: call.key).filter { $0.fence.map { $0 <= error.fence } ?? false }
        guard let last = runs.max(by: { ($0.fence?.rawValue ?? 0) < ($1.fence?.rawValue ?? 0) }), !last.isHarmless,
            let fence = last.fence, !isOver(state.keys[call.key], fence, error.fence.next, nil)
        else { return }
        if last.request != call.request {
            state.accuse("call \(call.number) was told of run \(last.number), which is another request's")
        }
    }

    /// An execution loses its key to another claim alone: one that has named it, or, because a record store's claim
    /// names no execution, one that came too late for the execution that it had named.
    func checkLoss(_ state: inout State, _ call: Call) {
        guard let fence = state.calls[call.number]?.hold?.fence else { return }
        let key = state.keys[call.key]
        let isTaken = key.takeovers.contains { $0.call != call.number }
        let isOwn = key.completions.contains { $0.run == call.run && $0.fence >= fence }
        if !isTaken, !isOwn { state.accuse("call \(call.number) lost its key, and nobody had claimed it") }
    }

    /// A claim that was answered late had been lost by then: if no handler has begun, the call looks on for itself.
    func lostClaim(_ number: Int) {
        state.withLock { state in
            guard let call = state.calls[number], call.run == nil, call.hold != nil else { return }
            checkLoss(&state, call)
            state.calls[number]?.hold = nil
        }
    }

    func lostHold(_ number: Int) {
        state.withLock { state in
            if let call = state.calls[number] { checkLoss(&state, call) }
        }
    }
}
