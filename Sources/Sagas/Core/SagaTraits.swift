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
    let kind: SagaStepKind
    var ifUnknown = IfUnknown.reexecute
    /// Of a timer how long it waits, of an event how long it is waited for; `nil` where there is no end.
    var wait: Duration?
    /// How long after its first call its action is called no more; `nil` without end.
    var limit: Duration?
}

/// What the core has to know of a definition: its steps, and which of them are taken together.
struct SagaTraits: Hashable, Sendable {
    let steps: [SagaStepTraits]
    /// The stages in order; each is a range of steps that are taken together.
    let stages: [Range<Int>]
    /// The stage of the pivot.
    let pivot: Int?

    init(stages: [[SagaStepTraits]]) {
        var ranges: [Range<Int>] = []
        for stage in stages {
            let start = ranges.last?.upperBound ?? 0
            ranges.append(start..<(start + stage.count))
        }
        steps = stages.flatMap { $0 }
        self.stages = ranges
        pivot = stages.firstIndex { $0.contains { $0.kind == .pivot } }
    }

    /// Whether nothing is undone any more once this stage has begun.
    func isPastPivot(_ stage: Int) -> Bool { pivot.map { stage > $0 } ?? false }
}
