// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// What must be true once everything is quiet and every lease has passed.
extension Judge {
    /// Compares what stands under a key with all that was seen.
    ///
    /// - Parameters:
    ///   - isListed: Whether the key is among those that an operator finds unresolved.
    ///   - orders: The runs whose records were committed with their values.
    func checkEnd(_ key: Int, _ entry: IdempotencyEntry?, isListed: Bool, orders: Set<Int>, now: Timestamp) {
        state.withLock { state in
            state.saw(now)
            switch entry?.state {
            case .inProgress: state.accuse("key \(key) is in progress after every lease has passed")
            case .unreadable(let text): state.accuse("key \(key) is unreadable: \(text)")
            case .unknown: if !isListed { state.accuse("key \(key) is unknown and not listed") }
            case .completed(let outcome, let at, _):
                if isListed { state.accuse("key \(key) is completed and listed as unresolved") }
                tell(&state, key, outcome, at: at)
            case nil: checkIsFree(&state, key, now)
            }
            checkOutcomes(&state, key, entry, now)
            if messages.contains(key) {
                checkMessageOrders(&state, key, orders)
            } else {
                checkOrders(&state, key, entry, orders)
            }
            checkEffects(&state, key)
        }
    }

    /// Nothing that may have taken effect is forgotten.
    private func checkIsFree(_ state: inout State, _ key: Int, _ now: Timestamp) {
        for run in state.protectedRuns(of: key) where !run.isHarmless {
            guard let fence = run.fence else { continue }
            let isCleared = state.keys[key].clearances.contains { $0.kind == .probe && $0.fence >= fence }
            if !isCleared, !isOver(state.keys[key], fence, Fence(rawValue: .max), now) {
                state.accuse("key \(key) is free, and run \(run.number) may have taken effect")
            }
        }
    }

    /// What any answer has shown as the outcome stands as long as it is retained.
    private func checkOutcomes(_ state: inout State, _ key: Int, _ entry: IdempotencyEntry?, _ now: Timestamp) {
        var standing: IdempotencyOutcome?
        if case .completed(let outcome, _, _)? = entry?.state { standing = outcome }
        for (at, outcome) in state.keys[key].outcomes where now < at.advanced(by: retention) && standing != outcome {
            state.accuse(
                "key \(key) was completed as \(outcome) at \(at), and now it is \(entry.map { "\($0.state)" } ?? "free")"
            )
        }
        for call in state.calls.values where call.isToBeKept && call.key == key {
            guard let run = call.run, case .value(let charge) = state.runs[run].end else { continue }
            let outcome = messages.contains(key) ? Self.mark : charge.outcome
            let known = state.keys[key].outcomes.values.contains(outcome)
            let attempt = state.keys[key].completions.first { $0.run == run }
            let isOver = attempt.map { $0.notBefore.advanced(by: retention) <= now } ?? false
            if !known, !isOver { state.accuse("call \(call.number) got the fresh value \(charge), which is not kept") }
        }
    }

    /// A record that goes with a value is there if and only if that value is the outcome.
    private func checkOrders(_ state: inout State, _ key: Int, _ entry: IdempotencyEntry?, _ orders: Set<Int>) {
        for run in state.protectedRuns(of: key) where run.hasOrder {
            var isOutcome = false
            if case .value(let charge) = run.end, charge.form != .unencodable {
                isOutcome = state.keys[key].completions.contains { $0.run == run.number && $0.at != nil }
            }
            let isIn = orders.contains(run.number)
            // An outcome that nobody was told of and that is retained no more leaves its record alone.
            let mayBeForgotten = state.keys[key].completions.contains {
                $0.run == run.number && $0.at == nil && $0.notBefore.advanced(by: retention) <= state.latest
            }
            if isIn != isOutcome, !(isIn && mayBeForgotten) {
                state.accuse(
                    "the record of run \(run.number) is \(isIn ? "in" : "not in"), its value \(isOutcome ? "is" : "is not")"
                )
            }
        }
    }

    /// How often a key took effect at the provider.
    func checkEffects(_ state: inout State, _ key: Int) {
        guard provider.honoursKeys || policy(of: key) != .reexecute else { return }
        var bounds = [0]
        if !provider.honoursKeys { bounds = state.keys[key].completions.map(\.effects) }
        for step in [Provider.Step.reserve, .charge] {
            let effects = provider.effects.filter {
                $0.key == key && $0.step == step && (provider.honoursKeys || $0.isProtected)
            }
            for (first, second) in zip(effects, effects.dropFirst()) {
                if !provider.honoursKeys, bounds.contains(where: { first.id < $0 && $0 <= second.id }) { continue }
                state.accuse("key \(key) took effect twice: runs \(first.run) and \(second.run), \(step)")
            }
        }
    }

    func checkEffects() {
        state.withLock { state in
            for key in state.keys.indices { checkEffects(&state, key) }
        }
    }

    /// A call that came when all was quiet.
    func checkAudit(_ call: Call, _ entry: IdempotencyEntry, isOnlyOne: Bool) {
        guard let result = call.result else { return }
        if result.failure is IdempotencyInFlight {
            accuse("call \(call.number) finds the key in flight after every lease has passed")
        }
        switch entry.state {
        case .unknown where policy == .park:
            if !isOnlyOne || !(result.failure is IdempotencyOutcomeUnknown) {
                accuse("call \(call.number) should have met an unknown outcome, and got \(result)")
            }
        case .completed(let outcome, let at, _) where isRetained(at):
            let isReplay: Bool
            switch result {
            case .success(let result): isReplay = result.value.outcome == outcome && result.isReplayed
            case .failure(let error as Declined): isReplay = error.outcome == outcome
            case .failure(let error as IdempotencyOutputOmitted): isReplay = outcome == .omitted(size: error.size)
            case .failure: isReplay = false
            }
            if !isReplay || !isOnlyOne { accuse("call \(call.number) should have got \(outcome), and got \(result)") }
        case .unknown, .inProgress, .unreadable, .completed: break
        }
    }

    /// Whether an outcome of that time is still kept, at the last time that the store was seen to have.
    func isRetained(_ completedAt: Timestamp) -> Bool {
        state.withLock { $0.latest < completedAt.advanced(by: retention) }
    }

    func call(_ number: Int) -> Call? { state.withLock { $0.calls[number] } }
}

extension Result {
    /// What was thrown, if that is how it ended.
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
