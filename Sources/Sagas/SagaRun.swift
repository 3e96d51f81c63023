// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A saga that a coordinator holds.
struct SagaRun: Sendable {
    /// A step's outcome as its record stands in the store.
    struct Kept: Hashable, Sendable {
        let id: RecordID
        let fence: Fence
        let outcome: SagaStepOutcome
    }

    let id: RecordID
    let shape: SagaShape
    let input: [UInt8]
    let steps: [BoundSagaStep]
    let holder: Holder?
    var state: SagaState
    /// The fence of the header as this coordinator wrote or claimed it last.
    var fence: Fence
    /// The outcomes that are in the store; they get their expiry when the saga is finished.
    var kept: [Kept] = []

    init(
        id: RecordID, header: SagaHeader, steps: [BoundSagaStep], holder: Holder?, state: SagaState, fence: Fence
    ) {
        self.id = id
        shape = header.shape
        input = header.input
        self.steps = steps
        self.holder = holder
        self.state = state
        self.fence = fence
    }

    /// What the header record holds now.
    var header: SagaHeader { SagaHeader(shape: shape, input: input, phase: state.phase) }

    func call(_ attempt: Int) -> BoundSagaStep.Call { BoundSagaStep.Call(sagaID: id.key, attempt: attempt) }
}

extension SagaHeader {
    /// What the header record is given.
    func content(due: RecordContent.When, expires: RecordContent.When) -> RecordContent {
        RecordContent(state: phase.label.rawValue, body: encoded, due: due, expires: expires)
    }
}

extension SagaStepOutcome {
    /// What the outcome's record is given.
    func content(expires: RecordContent.When) -> RecordContent {
        RecordContent(state: "\(result)", body: encoded, expires: expires)
    }
}
