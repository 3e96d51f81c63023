// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What an action, a probe or a compensation is given.
public struct SagaContext<Input: Codable & Sendable>: Sendable {
    /// The saga.
    public let sagaID: String
    /// What the saga was started with.
    public let input: Input
    /// The step.
    public let step: String
    /// Which way the saga goes through the step; a probe is asked about the action.
    public let direction: SagaDirection
    /// Which call this is; the first is 1. A call that our own cancellation cut short is not counted, and a probe is
    /// told the number of the call that it asks about.
    public let attempt: Int

    /// The idempotency key for what this step does downstream: `saga/step/direction`, at most 206 bytes of printable
    /// ASCII.
    ///
    /// It is the same on every attempt, after every crash and for every coordinator. A probe asks under the key of the
    /// action. Sagas of different coordinators that share a downstream need identifiers of their own, because nothing
    /// but the saga's identifier and the step's name is in the key.
    public var key: String { key(direction) }

    /// The key under which this step's action was called: what a compensation undoes.
    public var forwardKey: String { key(.forward) }

    private func key(_ direction: SagaDirection) -> String { "\(sagaID)/\(step)/\(direction.rawValue)" }
}
