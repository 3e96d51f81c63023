// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// What an inbox promises beyond an operation: no message is lost, none is marked before it is handled, and each consumer
/// is one of its own.
extension Judge {
    /// What is kept of a message that has been handled.
    static let mark = IdempotencyOutcome.value([])

    /// A delivery has come to an end.
    func ended(_ number: Int, delivery result: Result<InboxOutcome, any Error>) {
        note("delivery \(number) ends: \(result)")
        state.withLock { state in
            guard let call = state.calls[number], call.isOpen else { return }
            state.calls[number]?.isOpen = false
            state.calls[number]?.delivery = result
            switch result {
            case .success(.handled):
                guard case .value(let charge)? = call.run.map({ state.runs[$0].end }) else {
                    return state.accuse("delivery \(number) is said to be handled, and its handler has not returned")
                }
                checkIsTrue(&state, call, charge)
                noteIsFresh(&state, call)
            case .success(.duplicate(let at)):
                if call.run != nil { state.accuse("delivery \(number) is said to be a duplicate, and its handler ran") }
                if !isHandled(state, call.key) {
                    state.accuse("delivery \(number) is said to be a duplicate, and no handler has returned before")
                }
                tell(&state, call.key, Self.mark, at: at)
            case .failure(let error): checkDelivery(&state, call, error)
            }
        }
    }

    private func checkDelivery(_ state: inout State, _ call: Call, _ error: any Error) {
        let hasValue = call.run.map { state.runs[$0].hasValue } ?? false
        switch error {
        case is IdempotencyMismatch, is IdempotencyOutcomeUnknown, is IdempotencyOutputOmitted:
            state.accuse("delivery \(call.number) ended with \(error)")
        case let lost as IdempotencyLeaseLost<Void>:
            if case .success = lost.result, !hasValue {
                state.accuse("delivery \(call.number) has the value of a handler that has not returned")
            }
            checkLoss(&state, call)
        case is IdempotencyUnsettled<Void>:
            if !hasValue { state.accuse("delivery \(call.number) has the value of a handler that has not returned") }
        default: check(&state, call, error)
        }
    }

    /// Whether the consumer's handler has returned for the message.
    private func isHandled(_ state: State, _ key: Int) -> Bool {
        state.keys[key].runs.contains { state.runs[$0].hasValue }
    }

    /// A mark is about to be made.
    func checkMark(_ state: inout State, _ call: Call?, _ key: Int) {
        guard let run = call?.run, state.runs[run].hasValue else {
            return state.accuse("message \(key) is to be marked, and its handler has not returned")
        }
    }

    /// Deliveries are counted, whatever their handlers have thrown.
    func checkCount(_ state: inout State, _ lower: Run, _ higher: Run) {
        guard higher.attempt <= lower.attempt else { return }
        state.accuse("runs \(lower.number) and \(higher.number) are attempts \(lower.attempt) and \(higher.attempt)")
    }

    /// The records of a message's runs: one that is in belongs to a handler that has returned, and there is one at most.
    func checkMessageOrders(_ state: inout State, _ key: Int, _ orders: Set<Int>) {
        let written = state.protectedRuns(of: key).filter { orders.contains($0.number) }
        for run in written where !run.hasValue {
            state.accuse("the record of run \(run.number) is in, and its handler has not returned")
        }
        for (index, first) in written.enumerated() {
            for second in written.dropFirst(index + 1) {
                guard let one = first.fence, let other = second.fence else { continue }
                if isOver(state.keys[key], min(one, other), max(one, other), nil) { continue }
                state.accuse("message \(key) has written two records, in runs \(first.number) and \(second.number)")
            }
        }
        for run in state.protectedRuns(of: key) where run.hasOrder && !orders.contains(run.number) {
            guard case .success(.handled)? = state.calls[run.call]?.delivery else { continue }
            state.accuse("message \(key) was handled in run \(run.number), and its record is not in")
        }
    }

    /// Every message has been acknowledged, and its mark is there no more: it must have been handled, long ago.
    func checkUnmarked(_ key: Int) {
        state.withLock { state in
            let isHandled = isHandled(state, key)
            let isOver = state.keys[key].completions.contains { completion in
                (completion.at ?? completion.notBefore).advanced(by: retention) <= state.latest
            }
            if !isHandled || !isOver { state.accuse("message \(key) is acknowledged and not marked") }
        }
    }

    func deliveries(of key: Int) -> Int { state.withLock { state in state.calls.values.count { $0.key == key } } }
}

extension Judge.Run {
    /// Whether its handler has returned.
    var hasValue: Bool { if case .value = end { true } else { false } }
}
