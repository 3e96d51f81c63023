// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The bytes of a letter's record: version 1 of the layout.
struct DeadLetterBody: Hashable, Sendable {
    static let version: UInt8 = 1

    var note: String?
    var origin: DeadLetterOrigin
    var failures: FailureHistory
    var payload: [UInt8]

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.reserveCapacity(payload.count + 512)
        writer.write(Self.version)
        writer.write(note) { $0.write($1) }
        writer.write(origin.source)
        writer.write(origin.id)
        writer.write(origin.position) { $0.write($1) }
        writer.write(origin.orderKey) { $0.write($1) }
        writer.write(variable: UInt64(failures.count))
        writer.write(variable: UInt64(failures.kept.count))
        for failure in failures.kept {
            writer.write(failure.time.nanosecondsSince1970)
            writer.write(failure.errorType)
            writer.write(failure.message)
        }
        writer.write(payload)
        return writer.bytes
    }

    init(_ letter: NewDeadLetter) {
        note = letter.reason.note
        origin = letter.origin
        failures = letter.failures
        payload = letter.payload
    }

    init(_ letter: DeadLetter) {
        note = letter.reason.note
        origin = letter.origin
        failures = letter.failures
        payload = letter.payload
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
        note = try reader.readOptional { reader throws(MalformedBytes) in try reader.readString() }
        origin = DeadLetterOrigin(source: try reader.readString(), id: try reader.readString())
        origin.position = try reader.readOptional { reader throws(MalformedBytes) in try reader.readUInt64() }
        origin.orderKey = try reader.readOptional { reader throws(MalformedBytes) in try reader.readString() }
        let count = try reader.readVariable()
        var kept: [DeadLetterFailure] = []
        for _ in 0..<(try reader.readCount()) {
            let time = Timestamp(nanosecondsSince1970: try reader.readInt64())
            kept.append(
                DeadLetterFailure(errorType: try reader.readString(), message: try reader.readString(), time: time))
        }
        guard let count = Int(exactly: count), let failures = FailureHistory(count: count, kept: kept) else {
            throw MalformedBytes(offset: bytes.count - reader.remaining)
        }
        self.failures = failures
        payload = try reader.readBytes()
        try reader.finish()
    }
}

extension DeadLetter {
    /// The letter that a record holds; throws if its body is damaged or of a version that this code does not know.
    init(_ record: Record) throws(UnreadableDeadLetter) {
        let body: DeadLetterBody
        do throws(MalformedBytes) {
            body = try DeadLetterBody(decoding: record.body)
        } catch {
            throw UnreadableDeadLetter(id: record.id.key, offset: error.offset)
        }
        self.init(
            id: record.id.key, position: record.position,
            reason: DeadLetterReason(uncheckedCode: record.state, note: body.note),
            origin: body.origin, payload: body.payload, headers: record.headers, failures: body.failures,
            deadLetteredAt: record.createdAt, redriveCount: record.claims)
    }

    /// What the record of the letter holds.
    var content: RecordContent {
        RecordContent(state: reason.code, body: DeadLetterBody(self).encoded(), headers: headers)
    }
}

/// A letter whose bytes this version of the package cannot read: damaged, or written by a newer version.
///
/// The record stays as it is and can be read through its store.
public struct UnreadableDeadLetter: Error, Hashable, Sendable {
    /// The letter's name.
    public let id: String
    /// At which byte of the body the reading stopped.
    public let offset: Int
}
