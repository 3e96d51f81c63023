// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A step of a saga: an action, and what undoes it.
///
/// ```swift
/// let charge = SagaStep<Order, Receipt>("charge", ifUnknown: .probe { try await payments.find($0.key) }) { context in
///     try await payments.charge(context.input.amount, key: context.key)
/// } compensation: { context, receipt in
///     try await payments.refund(charge: context.forwardKey, key: context.key)
/// }
/// ```
///
/// What the action returns is kept, and given to later steps (``SagaContext/output(of:)``) and to the compensation.
///
/// What an action throws says how far back the saga goes: ``/ReliabilityCore/NotApplied`` errors leave this step out,
/// others compensate it too, or ask `ifUnknown`. It is called again first if ``retry(_:)`` says so.
///
/// The other kinds of step are made by `pivot`, `retriable`, `reading`, `event` and
/// `timer`.
public struct SagaStep<Input: Codable & Sendable, Output: Sendable>: Sendable {
    /// What a step does.
    public typealias Action = @Sendable (SagaContext<Input>) async throws -> Output
    /// What undoes it; the output is `nil` where it is not known.
    public typealias Compensation = @Sendable (SagaContext<Input>, Output?) async throws -> Void
    /// What an error of the action says about its effect; `nil` leaves it to the rule.
    public typealias Classification = @Sendable (any Error) -> SagaErrorKind?

    /// The step's name, unique in its definition: 1 to 64 bytes of printable ASCII without space and slash.
    public let name: String
    /// What it is to the way back.
    public let kind: SagaStepKind
    let ifUnknown: SagaUnknownRule<Input, Output>
    let classify: Classification?
    let action: Action?
    let compensation: Compensation?
    let coding: SagaCoding<Output>
    /// Of a timer how long it waits, of an event how long it is waited for.
    var wait: Duration?
    var retry: SagaRetry?
    var compensationRetry = SagaRetry.unlimited()
    var attemptLimit: Duration?
    var limit: Duration?

    init(
        _ name: String, _ kind: SagaStepKind, _ ifUnknown: SagaUnknownRule<Input, Output>, _ coding: SagaCoding<Output>,
        _ classify: Classification?, _ action: Action?, _ compensation: Compensation? = nil, wait: Duration? = nil
    ) {
        precondition(
            (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x2F },
            "A step's name is 1 to 64 bytes of printable ASCII without space and slash, not \"\(name)\"")
        self.name = name
        self.kind = kind
        self.ifUnknown = ifUnknown
        self.coding = coding
        self.classify = classify
        self.action = action
        self.compensation = compensation
        self.wait = wait
    }

    /// How often the action is called when it fails, and after which delays.
    ///
    /// By default a step before the pivot is called once, and a reading or retriable step after it until it succeeds.
    /// A pivot is called once, and again without end where `ifUnknown` is `.reexecute` and nobody knows whether an
    /// earlier call took effect.
    public func retry(_ policy: SagaRetry) -> SagaStep {
        var step = self
        step.retry = policy
        return step
    }

    /// How often the compensation or the probe is called when it fails, and after which delays; by default without
    /// end.
    public func retryCompensation(_ policy: SagaRetry) -> SagaStep {
        var step = self
        step.compensationRetry = policy
        return step
    }

    /// For how long the step may take.
    ///
    /// - Parameters:
    ///   - perAttempt: How long a call of the action, the probe or the compensation may take before it is cancelled:
    ///     nobody then knows what it did.
    ///   - inAll: How long after its first call the action is called no more; crashes count in. Of a step that has to
    ///     succeed, one from the pivot on, the saga is stuck then.
    public func timeLimit(perAttempt: Duration? = nil, inAll: Duration? = nil) -> SagaStep {
        for limit in [perAttempt, inAll].compactMap(\.self) {
            precondition(limit > .zero, "A time limit is longer than zero, not \(limit)")
        }
        var step = self
        step.attemptLimit = perAttempt
        step.limit = inAll
        return step
    }
}
