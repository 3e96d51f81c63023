// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A definition without the type of its input, as coordinators keep several of them.
struct SagaPlan: Sendable {
    let shape: SagaShape
    let traits: SagaTraits
    let deadline: Duration?
    /// The steps for a stored input; throws if it is not one.
    let bind: @Sendable ([UInt8]) throws -> [BoundSagaStep]
}

/// A step together with the input of one saga.
struct BoundSagaStep: Sendable {
    /// Which call of which saga.
    struct Call: Sendable {
        let sagaID: String
        let attempt: Int
        var outputs: [String: [UInt8]]
    }

    let perform: @Sendable (Call) async throws -> [UInt8]
    let ask: @Sendable (Call) async throws -> (SagaProbeResult, output: [UInt8])
    let compensate: @Sendable (Call) async throws -> Void
    let classify: @Sendable (any Error) -> SagaErrorKind
    let retry: SagaRetry?
    let compensationRetry: SagaRetry
    let attemptLimit: Duration?
    let limit: Duration?
}

extension SagaStep {
    var traits: SagaStepTraits {
        let rule: SagaStepTraits.IfUnknown =
            switch ifUnknown {
            case .reexecute: .reexecute
            case .probe: .probe
            case .park: .park
            }
        return SagaStepTraits(name: name, kind: kind, ifUnknown: rule, wait: wait, limit: limit)
    }

    func bound(to input: Input, classify whole: Classification?) -> BoundSagaStep {
        @Sendable func context(_ call: BoundSagaStep.Call, _ direction: SagaDirection) -> SagaContext<Input> {
            SagaContext(
                sagaID: call.sagaID, input: input, step: name, direction: direction, attempt: call.attempt,
                outputs: call.outputs)
        }
        return BoundSagaStep(
            perform: { call in
                guard let action else { preconditionFailure("\(name) is not called") }
                return try encoded(try await action(context(call, .forward)))
            },
            ask: { call in
                guard case .probe(let ask) = ifUnknown else { preconditionFailure("\(name) has no probe") }
                switch try await ask(context(call, .forward)) {
                case .applied(let output): return (.applied, try encoded(output))
                case .notApplied: return (.notApplied, [])
                case .unknown: return (.unknown, [])
                }
            },
            compensate: { call in
                guard let compensation else { preconditionFailure("\(name) has nothing to undo") }
                let output = try call.outputs[name].map { try coding.decode($0) }
                try await compensation(context(call, .compensation), output)
            },
            classify: { error in
                classify?(error) ?? whole?(error) ?? (error is any NotApplied ? .notApplied : .unknown)
            },
            retry: retry, compensationRetry: compensationRetry, attemptLimit: attemptLimit, limit: limit)
    }

    private func encoded(_ output: Output) throws -> [UInt8] {
        let bytes = try coding.encode(output)
        let allowed = 0...SagaDefinition<Input>.maximumValue
        guard allowed.contains(bytes.count) else {
            throw SagaOutputTooLarge(step: name, size: bytes.count, limit: allowed.upperBound)
        }
        return bytes
    }
}
