// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A call of one of a definition's closures.
package struct SagaCall: Hashable, Sendable {
    /// Which of a step's closures.
    package enum Closure: Hashable, Sendable {
        case action
        case probe
        case compensation
    }

    package let step: String
    package let closure: Closure
    package let attempt: Int
    /// The idempotency key that the closure is given.
    package let key: String
}

/// Something around a call: it makes the call, or throws in its stead.
package typealias SagaInterposer = @Sendable (SagaCall, () async throws -> Void) async throws -> Void

extension SagaPlan {
    func interposing(_ interposer: @escaping SagaInterposer) -> SagaPlan {
        SagaPlan(shape: shape, traits: traits, deadline: deadline) { [bind, traits] input in
            zip(traits.steps, try bind(input)).map { traits, step in step.interposing(traits.name, interposer) }
        }
    }
}

extension BoundSagaStep {
    fileprivate func interposing(_ name: String, _ interposer: @escaping SagaInterposer) -> BoundSagaStep {
        @Sendable func seen(_ call: Call, _ closure: SagaCall.Closure) -> SagaCall {
            let direction: SagaDirection = closure == .compensation ? .compensation : .forward
            return SagaCall(
                step: name, closure: closure, attempt: call.attempt,
                key: "\(call.sagaID)/\(name)/\(direction.rawValue)")
        }
        let step = self
        return BoundSagaStep(
            perform: { call in
                var output: [UInt8] = []
                try await interposer(seen(call, .action)) { output = try await step.perform(call) }
                return output
            },
            ask: { call in
                var answer = (SagaProbeResult.unknown, output: [UInt8]())
                try await interposer(seen(call, .probe)) { answer = try await step.ask(call) }
                return answer
            },
            compensate: { call in
                try await interposer(seen(call, .compensation)) { try await step.compensate(call) }
            },
            classify: classify, retry: retry, compensationRetry: compensationRetry, attemptLimit: attemptLimit,
            limit: limit)
    }
}
