// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A definition without the type of its input, as coordinators keep several of them.
struct SagaPlan: Sendable {
    let shape: SagaShape
    let traits: [SagaStepTraits]
    /// The steps for a stored input; throws if it is not one.
    let bind: @Sendable ([UInt8]) throws -> [BoundSagaStep]
}

/// A step together with the input of one saga.
struct BoundSagaStep: Sendable {
    /// Which call of which saga.
    struct Call: Sendable {
        let sagaID: String
        let attempt: Int
    }

    let perform: @Sendable (Call) async throws -> Void
    let probe: (@Sendable (Call) async throws -> SagaProbeAnswer)?
    let compensate: (@Sendable (Call) async throws -> Void)?
    let classify: @Sendable (any Error) -> SagaErrorKind
}

extension SagaDefinition {
    var plan: SagaPlan {
        SagaPlan(shape: shape, traits: steps.map(\.traits)) { try bound(to: decode($0)) }
    }

    func bound(to input: Input) -> [BoundSagaStep] {
        steps.map { $0.bound(to: input, classify: classify) }
    }
}

extension SagaStep {
    fileprivate func bound(
        to input: Input, classify whole: (@Sendable (any Error) -> SagaErrorKind?)?
    ) -> BoundSagaStep {
        typealias Call = BoundSagaStep.Call
        var probe: (@Sendable (Call) async throws -> SagaProbeAnswer)?
        switch ifUnknown {
        case .reexecute, .park: break
        case .probe(let ask): probe = { call in try await ask(context(call, input, .forward)) }
        }
        var compensate: (@Sendable (Call) async throws -> Void)?
        if let compensation { compensate = { call in try await compensation(context(call, input, .compensation)) } }
        return BoundSagaStep(
            perform: { call in try await action(context(call, input, .forward)) }, probe: probe,
            compensate: compensate,
            classify: { error in
                classify?(error) ?? whole?(error) ?? (error is any NotApplied ? .notApplied : .unknown)
            })
    }

    private func context(
        _ call: BoundSagaStep.Call, _ input: Input, _ direction: SagaDirection
    ) -> SagaContext<Input> {
        SagaContext(sagaID: call.sagaID, input: input, step: name, direction: direction, attempt: call.attempt)
    }
}
