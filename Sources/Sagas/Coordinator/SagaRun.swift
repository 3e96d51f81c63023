// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A saga that a coordinator holds.
struct SagaRun: Sendable {
    /// An entry of the history as its record stands in the store.
    struct Kept: Hashable, Sendable {
        let id: RecordID
        let fence: Fence
        let entry: SagaEntry
    }

    let id: RecordID
    let startedAt: Timestamp
    /// The header record's own headers, which stay.
    let recordHeaders: [String: String]
    let steps: [BoundSagaStep]
    let holder: Holder?
    var header: SagaHeader
    var state: SagaState
    /// The state as it stands in the store; `nil` before this coordinator has written it.
    var durable: SagaState?
    /// The fence of the header as this coordinator wrote or claimed it last.
    var fence: Fence
    /// The fence of the mailbox as it was seen last; `nil` if there was none.
    var mail: Fence?
    /// The history as it is in the store.
    var kept: [Kept]
    /// What steps gave and events brought.
    var outputs: [String: [UInt8]] = [:]
    /// The store's time at the last answer, and when that was by the coordinator's clock.
    var told: (now: Timestamp, at: Int64)

    init(
        _ record: Record, header: SagaHeader, steps: [BoundSagaStep], state: SagaState, kept: [Kept],
        told: (now: Timestamp, at: Int64)
    ) {
        id = record.id
        startedAt = record.createdAt
        recordHeaders = record.headers
        self.header = header
        self.steps = steps
        holder = record.holder
        self.state = state
        fence = record.fence
        self.kept = kept
        self.told = told
        for kept in kept { note(kept.entry) }
    }

    /// When the saga turns back unless it is past its pivot.
    var deadline: Timestamp? { header.deadline.map { startedAt.advanced(by: $0) } }

    /// The present in the store's time.
    func now(_ time: TimeSource) -> Timestamp { told.now.advanced(by: .nanoseconds(time.now() - told.at)) }

    mutating func note(_ entry: SagaEntry) {
        guard entry.isOutput, let step = entry.step, !entry.output.isEmpty || outputs[step] == nil else { return }
        // An event may have any name, also that of a step that is none.
        if entry.kind == .signalled, state.traits.steps.contains(where: { $0.name == step && $0.kind != .event }) {
            return
        }
        outputs[step] = entry.output
    }

    /// A call of an action or a probe, which sees what was given before its stage.
    func forwardCall(_ attempt: Int) -> BoundSagaStep.Call {
        var call = call(attempt)
        guard !outputs.isEmpty else { return call }
        let earlier = state.traits.steps[..<state.traits.stages[state.stage].lowerBound]
        call.outputs = outputs.filter { output in earlier.contains { $0.name == output.key } }
        return call
    }

    func call(_ attempt: Int) -> BoundSagaStep.Call {
        BoundSagaStep.Call(sagaID: id.key, attempt: attempt, outputs: outputs)
    }
}
