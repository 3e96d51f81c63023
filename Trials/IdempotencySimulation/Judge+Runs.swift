// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// What handlers do.
extension Judge {
    /// A handler begins; returns the number of the run.
    func began(_ number: Int, _ context: IdempotencyContext) -> Int {
        state.withLock { state in
            let index = state.runs.count
            guard let call = state.calls[number] else { return index }
            let fence = context.isProtected ? context.fence : nil
            let run = Run(
                number: index, call: number, key: call.key, request: call.request, fence: fence,
                attempt: context.attempt)
            if notesAreKept {
                let name = fence.map { "as \($0), attempt \(context.attempt)" } ?? "without protection"
                state.notes.append("call \(number) runs key \(call.key) \(name): run \(index)")
            }
            if call.run != nil { state.accuse("call \(number) ran its handler twice") }
            if !call.isOpen { state.accuse("call \(number) had ended when its handler began") }
            checkDownstreamKeys(&state, call.key, context)
            if let fence {
                if let hold = call.hold, hold.fence != fence {
                    state.accuse("call \(number) was given \(hold.fence) and runs as \(fence)")
                }
                if call.hold == nil {
                    state.calls[number]?.hold = Hold(fence: fence, attempt: context.attempt, at: nil, until: nil)
                    state.keys[call.key].lastFence = max(state.keys[call.key].lastFence, fence)
                }
                for other in state.protectedRuns(of: call.key) {
                    guard let otherFence = other.fence else { continue }
                    if otherFence == fence { state.accuse("runs \(other.number) and \(index) have the fence \(fence)") }
                    let isLower = otherFence < fence
                    check(&state, isLower ? other : run, isLower ? run : other)
                }
                check(&state, run, resumingAt: context.checkpoint)
            }
            state.calls[number]?.run = index
            state.runs.append(run)
            state.keys[call.key].runs.append(index)
            return index
        }
    }

    private func checkDownstreamKeys(_ state: inout State, _ key: Int, _ context: IdempotencyContext) {
        for step in [Provider.Step.reserve, .charge] {
            let name = context.downstreamKey("\(step)")
            if let known = state.keys[key].downstreamKeys[step.rawValue], known != name {
                state.accuse("the downstream key of \(step) of key \(key) is \(name) and was \(known)")
            }
            state.keys[key].downstreamKeys[step.rawValue] = name
        }
    }

    /// Whether the key may run as `higher` although it ran as `lower`.
    private func check(_ state: inout State, _ lower: Run, _ higher: Run) {
        guard let from = lower.fence, let to = higher.fence else { return }
        let key = state.keys[lower.key]
        let hold = state.calls[higher.call]?.hold
        let claimedAt = hold?.at
        // What is kept must have been retained no more.
        for completion in key.completions where completion.fence >= from && completion.fence < to {
            guard let at = completion.at, let claimedAt, claimedAt < at.advanced(by: retention) else { continue }
            state.accuse("key \(lower.key) ran as \(to) although it was completed as \(completion.fence)")
        }
        let isOver = isOver(key, from, to, claimedAt)
        if messages.contains(lower.key), !isOver { checkCount(&state, lower, higher) }
        if lower.isHarmless || isOver { return }
        if lower.request != higher.request {
            state.accuse("runs \(lower.number) and \(higher.number) of key \(lower.key) are of different requests")
        }
        switch policy(of: lower.key) {
        case .park:
            state.accuse("key \(lower.key) ran as \(from) and again as \(to), and nobody had released it")
        case .probe:
            let isCleared = key.clearances.contains { $0.kind == .probe && from <= $0.fence && $0.fence < to }
            if !isCleared {
                state.accuse("key \(lower.key) ran as \(from) and again as \(to), and no probe allowed it")
            }
        case .reexecute:
            guard let doubted = state.calls[lower.call]?.hold, !doubted.isEnded, let until = doubted.until,
                let claimedAt, claimedAt < until
            else { return }
            state.accuse("key \(lower.key) ran as \(from) and again as \(to), and its outcome was not in doubt")
        }
    }

    /// Whether the key had become free between two executions: by an operator, or because its outcome's time is over.
    func isOver(_ key: Key, _ from: Fence, _ to: Fence, _ claimedAt: Timestamp?) -> Bool {
        let clearances = key.clearances.filter { from <= $0.fence && $0.fence < to }
        // A run that a probe has cleared is forgotten with the release of one after it.
        let isReleased =
            clearances.contains { $0.kind == .person }
            || clearances.contains { $0.kind == .probe } && clearances.contains { $0.kind == .release }
        let isExpired = key.completions.contains { completion in
            guard completion.fence >= from, completion.fence < to else { return false }
            return claimedAt.map { (completion.at ?? completion.notBefore).advanced(by: retention) <= $0 } ?? true
        }
        return isReleased || isExpired
    }

    private func check(_ state: inout State, _ run: Run, resumingAt checkpoint: IdempotencyCheckpoint?) {
        guard let fence = run.fence else { return }
        let key = state.keys[run.key]
        if let checkpoint, !key.offered.contains(where: { $0.fence < fence && $0.checkpoint == checkpoint }) {
            state.accuse("run \(run.number) goes on behind a checkpoint that nobody had kept: \(checkpoint)")
        }
        if checkpoint != nil, run.attempt == 1 { state.accuse("run \(run.number) is the first and has a checkpoint") }
        guard run.attempt > 1, checkpoint == nil else { return }
        let forgotten = state.protectedRuns(of: run.key).last { other in
            guard let from = other.fence, other.kept != nil, from < fence else { return false }
            // An end in between, even one that may not have come about, explains it.
            return !key.clearances.contains { $0.kind != .probe && from <= $0.fence && $0.fence < fence }
                && !key.completions.contains { from <= $0.fence && $0.fence < fence }
        }
        if let forgotten { state.accuse("run \(run.number) does not have the checkpoint of run \(forgotten.number)") }
    }

    func kept(_ run: Int, _ checkpoint: IdempotencyCheckpoint) {
        state.withLock { $0.runs[run].kept = checkpoint }
    }

    func ordered(_ run: Int) { state.withLock { $0.runs[run].hasOrder = true } }

    func ended(run: Int, _ result: Result<Charge, any Error>) {
        note("run \(run) ends: \(result)")
        state.withLock { state in
            switch result {
            case .success(let charge): state.runs[run].end = charge.form == .nothing ? .nothing : .value(charge)
            case .failure(let error):
                state.runs[run].error = "\(error)"
                switch error {
                case is Refused: state.runs[run].end = .notApplied
                case is Declined: state.runs[run].end = .declined
                default: state.runs[run].end = .failed
                }
            }
        }
    }

    /// Whether no other call of a living process can still run a handler of the key.
    func isQuiet(_ key: Int, but number: Int) -> Bool {
        state.withLock { state in
            !state.calls.values.contains { $0.key == key && $0.number != number && $0.isOpen && $0.hasClaimed }
        }
    }
}
