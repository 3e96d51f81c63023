// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What the header record of a saga holds: version 2 of the layout.
struct SagaHeader: Hashable, Sendable {
    static let version: UInt8 = 2

    /// The definition's name, version and hash.
    var shape: SagaShape
    var input: [UInt8]
    /// How many entries its history has.
    var entries: Int
    /// How long after its start the saga turns back unless it is past its pivot.
    var deadline: Duration?
    var position: SagaPosition

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.version)
        writer.write(shape.name)
        writer.write(variable: UInt64(shape.version))
        writer.write(shape.hash)
        writer.write(input)
        writer.write(variable: UInt64(entries))
        writer.write(deadline) { $0.write($1.nanosecondsRoundedUp) }
        position.write(to: &writer)
        return writer.bytes
    }

    init(shape: SagaShape, input: [UInt8], entries: Int, deadline: Duration?, position: SagaPosition) {
        self.shape = shape
        self.input = input
        self.entries = entries
        self.deadline = deadline
        self.position = position
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
        let name = try reader.readString()
        shape = SagaShape(name: name, version: try reader.readSmallNumber(), hash: try reader.readUInt64())
        input = try reader.readBytes()
        entries = try reader.readSmallNumber()
        deadline = try reader.readOptional { reader throws(MalformedBytes) in .nanoseconds(try reader.readInt64()) }
        position = try SagaPosition(from: &reader)
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

    /// What the header record is given.
    func content(
        _ state: SagaStatus.State, headers: [String: String] = [:], due: RecordContent.When,
        expires: RecordContent.When
    ) -> RecordContent {
        RecordContent(state: state.rawValue, body: encoded, headers: headers, due: due, expires: expires)
    }
}

/// A saga whose bytes this version of the package cannot read: damaged, or written by a newer version.
///
/// Nothing of it is executed, and its records stay as they are.
public struct UnreadableSaga: Error, Hashable, Sendable {
    /// The saga.
    public let sagaID: String
}
