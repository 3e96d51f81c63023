// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// What stores are asked and answer.
extension Judge {
    /// A claim is about to be made; returns the largest fence that was seen before.
    func willClaim(_ number: Int, _ key: Int, takingOver predecessor: Fence?) -> Fence {
        state.withLock { state in
            state.calls[number]?.hasClaimed = true
            state.keys[key].claimingCalls.insert(number)
            if let predecessor { state.keys[key].takeovers.append((predecessor, number)) }
            return state.keys[key].lastFence
        }
    }

    func acquired(_ number: Int, _ key: Int, _ execution: IdempotencyExecution, after seen: Fence) {
        note("call \(number) acquires key \(key) as \(execution.fence), attempt \(execution.attempt)")
        state.withLock { state in
            let at = execution.leaseUntil.advanced(by: .zero - lease)
            state.saw(at)
            if execution.fence <= seen {
                state.accuse("key \(key) was claimed as \(execution.fence) after \(seen)")
            }
            let hold = Hold(fence: execution.fence, attempt: execution.attempt, at: at, until: execution.leaseUntil)
            for other in state.calls.values where other.key == key && other.number != number {
                guard let otherHold = other.hold else { continue }
                if otherHold.fence == hold.fence {
                    state.accuse("calls \(number) and \(other.number) were given the same execution \(hold.fence)")
                }
                let (lower, higher) = otherHold.fence < hold.fence ? (otherHold, hold) : (hold, otherHold)
                if !lower.isEnded, let until = lower.until, let at = higher.at, at < until {
                    state.accuse("key \(key) was claimed as \(higher.fence) during the lease of \(lower.fence)")
                }
            }
            state.calls[number]?.hold = hold
            state.keys[key].lastFence = max(state.keys[key].lastFence, execution.fence)
        }
    }

    func willExtend(_ key: Int) -> Fence { state.withLock { $0.keys[key].lastFence } }

    /// An execution was told that it goes on; `seen` is the largest fence that was seen before it asked.
    func held(_ number: Int, _ key: Int, asking fence: Fence, _ execution: IdempotencyExecution, after seen: Fence) {
        state.withLock { state in
            state.saw(execution.leaseUntil.advanced(by: .zero - lease))
            if seen > fence, seen != state.calls[number]?.hold?.fence {
                state.accuse("\(fence) of key \(key) was prolonged after \(seen) had claimed it")
            }
            state.calls[number]?.hold?.until = execution.leaseUntil
            state.keys[key].lastFence = max(state.keys[key].lastFence, execution.fence)
        }
    }

    func willKeep(_ key: Int, _ fence: Fence, _ checkpoint: IdempotencyCheckpoint) {
        state.withLock { $0.keys[key].offered.append((fence, checkpoint)) }
    }

    /// An execution's owner asks for its end without an outcome.
    func willEnd(_ number: Int, _ key: Int, _ fence: Fence, isRelease: Bool) {
        state.withLock { state in
            state.calls[number]?.hold?.isEnded = true
            if isRelease { state.keys[key].clearances.append(Clearance(kind: .release, fence: fence)) }
        }
    }

    func willComplete(_ number: Int, _ key: Int, _ fence: Fence, _ outcome: IdempotencyOutcome) -> Int {
        state.withLock { state in
            let call = state.calls[number]
            if messages.contains(key) { checkMark(&state, call, key) }
            state.keys[key].completions.append(
                Completion(
                    fence: fence, outcome: outcome, request: call?.request, run: call?.run, notBefore: state.latest,
                    effects: provider.effects.count))
            return state.keys[key].completions.count - 1
        }
    }

    func completed(_ key: Int, _ index: Int, at time: Timestamp) {
        state.withLock { state in
            state.saw(time)
            state.keys[key].completions[index].at = time
            tell(&state, key, state.keys[key].completions[index].outcome, at: time)
        }
    }

    /// An answer has shown that a key was completed at a time.
    func tell(_ state: inout State, _ key: Int, _ outcome: IdempotencyOutcome, at time: Timestamp) {
        for (other, known) in state.keys[key].outcomes {
            if other == time, known != outcome { state.accuse("key \(key) has two outcomes, \(known) and \(outcome)") }
            let distance = other < time ? other.duration(to: time) : time.duration(to: other)
            if other != time, distance < retention {
                state.accuse("key \(key) was completed at \(other) and again at \(time), within the retention")
            }
        }
        state.keys[key].outcomes[time] = outcome
        let candidates = state.keys[key].completions.indices.filter {
            state.keys[key].completions[$0].outcome == outcome
        }
        if candidates.isEmpty { state.accuse("key \(key) was completed as \(outcome), which nobody had kept") }
        if candidates.contains(where: { state.keys[key].completions[$0].at == time }) { return }
        let open = candidates.filter { state.keys[key].completions[$0].at == nil }
        // An execution may have tried several times; of different ones it cannot be told which it was.
        let runs = Set(open.map { state.keys[key].completions[$0].run })
        if let last = open.last, open.count == 1 || runs.count == 1 && !runs.contains(nil) {
            state.keys[key].completions[last].at = time
        }
    }

    func cleared(_ key: Int, _ kind: Clearance.Kind, _ fence: Fence) {
        state.withLock { $0.keys[key].clearances.append(Clearance(kind: kind, fence: fence)) }
    }
}
