// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaCoordinator {
    /// Starts a saga: when this returns, it is durable, and whichever coordinator runs drives it.
    ///
    /// Starting it again with the same definition and input is harmless, also after it is finished, for as long as it is
    /// kept: the saga that stands there is meant.
    ///
    /// - Parameters:
    ///   - definition: What the saga does.
    ///   - id: The saga's identifier, part of every step's key: 1 to 128 bytes of printable ASCII without space.
    ///   - input: What its steps are given; at most ``SagaDefinition/maximumValue`` bytes as JSON.
    /// - Throws: ``SagaMismatch``, ``SagaDefinitionMismatch``, ``UnreadableSaga``, an encoding error: nothing was
    ///   started. `StoreError`: it may have been, where its outcome is unknown; start it again.
    @discardableResult
    public func start<Input>(
        _ definition: SagaDefinition<Input>, id: String, input: Input
    ) async throws -> SagaHandle {
        let encoded = try definition.coding.encode(input)
        let handle = SagaHandle(coordinator: self, id: id)
        let change = try change(definition, id, encoded)
        let standing: Record
        do throws(StoreError) {
            switch try await store.commit([change]) {
            case .committed:
                report(.started, id, definition.shape)
                return handle
            case .conflict(let conflict):
                guard let record = conflict.standing else { preconditionFailure("An insert met nothing at \(id)") }
                standing = record
            }
        } catch {
            // Where the look fails too, it stays unknown.
            guard case .outcomeUnknown = error, let found = try? await store.read([headerID(id)]).records[0] else {
                throw error
            }
            standing = found
        }
        let header = try SagaHeader(standing)
        let goesOver = migration(of: header.shape).map { ($0.definition, $0.to) }
        let isMeant = goesOver.map { $0 == (definition.shape.name, definition.shape.version) } ?? false
        guard header.shape == definition.shape || isMeant else {
            throw SagaDefinitionMismatch(sagaID: id, standing: header.shape, given: definition.shape)
        }
        guard definition.isSame(input, encoded: encoded, as: header.input) else { throw SagaMismatch(sagaID: id) }
        return handle
    }

    /// The change that starts a saga, for a commit of your own: the saga then starts together with what else is in it,
    /// or not at all.
    ///
    /// A conflict at this change means that a saga of that identifier stands there; ``start(_:id:input:)`` says whether
    /// it is the same.
    ///
    /// - Throws: As ``start(_:id:input:)``, of the input alone.
    public func change<Input>(
        starting definition: SagaDefinition<Input>, id: String, input: Input
    ) throws -> Change {
        try change(definition, id, try definition.coding.encode(input))
    }

    private func change<Input>(
        _ definition: SagaDefinition<Input>, _ id: String, _ input: [UInt8]
    ) throws(StoreError) -> Change {
        try RecordLimits.check("saga id", id.utf8.count, 1...128)
        if let byte = id.utf8.first(where: { !(0x21...0x7E).contains($0) }) {
            throw .refused(RefusedInput(field: "byte of saga id", size: Int(byte), allowed: 0x21...0x7E))
        }
        try RecordLimits.check("input", input.count, 0...SagaDefinition<Input>.maximumValue)
        let header = SagaHeader(
            shape: definition.shape, input: input, entries: 0, deadline: definition.deadline,
            position: SagaState(definition.plan.traits).position)
        return .insert(headerID(id), header.content(.running, due: .after(.zero), expires: .never))
    }
}

/// A saga of this identifier was started with another input; nothing was executed.
public struct SagaMismatch: Error, Hashable, Sendable {
    /// The saga.
    public let sagaID: String
}

/// A saga of this identifier was started with another definition, version or list of steps; nothing was executed.
public struct SagaDefinitionMismatch: Error, Hashable, Sendable {
    /// The saga.
    public let sagaID: String
    /// What it was started with.
    public let standing: SagaShape
    /// What was given now.
    public let given: SagaShape
}

/// There is no saga of that identifier: it was never started, or was finished and not kept any longer.
public struct SagaNotFound: Error, Hashable, Sendable {
    /// The saga.
    public let sagaID: String
}
