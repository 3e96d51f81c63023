// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Which definition a saga was started with: its name, its version and the names of its steps, in order.
public struct SagaShape: Hashable, Sendable, CustomStringConvertible {
    /// The definition's name.
    public let name: String
    /// The definition's version.
    public let version: Int
    /// The names of the steps.
    public let steps: [String]

    /// The name, the version and the steps, as `checkout v1 (reserve, charge)`.
    public var description: String { "\(name) v\(version) (\(steps.joined(separator: ", ")))" }
}

/// What the header record of a saga holds: version 1 of the layout.
struct SagaHeader: Hashable, Sendable {
    static let version: UInt8 = 1

    var shape: SagaShape
    var input: [UInt8]
    var phase: SagaState.Phase

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.version)
        writer.write(shape.name)
        writer.write(variable: UInt64(shape.version))
        writer.write(variable: UInt64(shape.steps.count))
        for step in shape.steps { writer.write(step) }
        phase.write(to: &writer)
        writer.write(input)
        return writer.bytes
    }

    init(shape: SagaShape, input: [UInt8], phase: SagaState.Phase) {
        self.shape = shape
        self.input = input
        self.phase = phase
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
        let name = try reader.readString()
        guard let version = Int(exactly: try reader.readVariable()) else { throw MalformedBytes(offset: 0) }
        var steps: [String] = []
        for _ in 0..<(try reader.readCount()) { steps.append(try reader.readString()) }
        shape = SagaShape(name: name, version: version, steps: steps)
        phase = try SagaState.Phase(from: &reader, steps: steps.count)
        input = try reader.readBytes()
        try reader.finish()
    }

    /// The header in a record.
    init(_ record: Record) throws(UnreadableSaga) {
        do throws(MalformedBytes) {
            try self.init(decoding: record.body)
        } catch {
            throw UnreadableSaga(sagaID: record.id.key)
        }
    }
}

extension SagaState.Phase {
    /// The label of the header record.
    var label: SagaStatus.State {
        switch self {
        case .running, .probing: .running
        case .compensating: .compensating
        case .completed: .completed
        case .compensated: .compensated
        case .stuck: .stuck
        }
    }

    /// What became of a saga that stands in this phase; `nil` while it has further to go.
    var outcome: SagaOutcome? {
        switch self {
        case .running, .probing, .compensating: nil
        case .completed: .completed
        case .compensated(let failure): .compensated(failure)
        case .stuck(_, _, let stuck): .stuck(stuck)
        }
    }
}

/// A saga whose bytes this version of the package cannot read: damaged, or written by a newer version.
///
/// Nothing of it is executed, and its records stay as they are.
public struct UnreadableSaga: Error, Hashable, Sendable {
    /// The saga.
    public let sagaID: String
}
