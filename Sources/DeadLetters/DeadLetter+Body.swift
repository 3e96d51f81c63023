// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The bytes of a letter's record: version 2 of the layout.
struct DeadLetterBody: Hashable, Sendable {
    static let version: UInt8 = 2

    /// How a record became a letter that had been something else before: what it counts and dates on its own goes back
    /// further.
    struct Arrival: Hashable, Sendable {
        var time: Timestamp
        /// How often it had been handed out by then.
        var claims: Int
        /// How often it had been redriven by then.
        var redrives: Int
        /// How often it had been given to a handler by then.
        var deliveries: Int
    }

    var note: String?
    var origin: DeadLetterOrigin
    var enqueuedAt: Timestamp?
    /// `nil` for a record that has been a letter from the beginning.
    var arrival: Arrival?
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
        writer.write(enqueuedAt) { $0.write($1.nanosecondsSince1970) }
        writer.write(arrival) { writer, arrival in
            writer.write(arrival.time.nanosecondsSince1970)
            writer.write(variable: UInt64(arrival.claims))
            writer.write(variable: UInt64(arrival.redrives))
            writer.write(variable: UInt64(arrival.deliveries))
        }
        writer.write(failures)
        writer.write(payload)
        return writer.bytes
    }

    init(_ letter: NewDeadLetter, arrival: Arrival? = nil) {
        note = letter.reason.note
        origin = letter.origin
        enqueuedAt = letter.enqueuedAt
        self.arrival = arrival
        failures = letter.failures
        payload = letter.payload
    }

    init(_ letter: DeadLetter) {
        note = letter.reason.note
        origin = letter.origin
        enqueuedAt = letter.enqueuedAt
        arrival = letter.arrival
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
        enqueuedAt = try reader.readOptional { reader throws(MalformedBytes) in try reader.readTimestamp() }
        arrival = try reader.readOptional { reader throws(MalformedBytes) in
            Arrival(
                time: try reader.readTimestamp(), claims: try reader.readNumber(), redrives: try reader.readNumber(),
                deliveries: try reader.readNumber())
        }
        failures = try reader.readFailures()
        payload = try reader.readBytes()
        try reader.finish()
    }
}

extension ByteWriter {
    package mutating func write(_ failures: FailureHistory) {
        write(variable: UInt64(failures.count))
        write(variable: UInt64(failures.kept.count))
        for failure in failures.kept {
            write(failure.time.nanosecondsSince1970)
            write(failure.errorType)
            write(failure.message)
        }
    }
}

extension ByteReader {
    package mutating func readFailures() throws(MalformedBytes) -> FailureHistory {
        let count = try readNumber()
        var kept: [DeadLetterFailure] = []
        for _ in 0..<(try readCount()) {
            let time = try readTimestamp()
            kept.append(DeadLetterFailure(errorType: try readString(), message: try readString(), time: time))
        }
        guard let failures = FailureHistory(count: count, kept: kept) else { throw malformed }
        return failures
    }

    package mutating func readTimestamp() throws(MalformedBytes) -> Timestamp {
        Timestamp(nanosecondsSince1970: try readInt64())
    }

    /// How often something happened: at most 32 bits, so that sums of such numbers never overflow.
    package mutating func readNumber() throws(MalformedBytes) -> Int {
        guard let number = UInt32(exactly: try readVariable()) else { throw malformed }
        return Int(number)
    }
}

extension DeadLetter {
    /// The letter that a record holds; throws if its body is damaged or of a version that this code does not know.
    package init(_ record: Record) throws(UnreadableDeadLetter) {
        let body: DeadLetterBody
        do throws(MalformedBytes) {
            body = try DeadLetterBody(decoding: record.body)
        } catch {
            throw UnreadableDeadLetter(id: record.id.key, offset: error.offset)
        }
        let arrival = body.arrival
        let redrives = (record.claims - (arrival?.claims ?? 0)).addingReportingOverflow(arrival?.redrives ?? 0)
        self.init(
            id: record.id.key, position: record.position,
            reason: DeadLetterReason(uncheckedCode: record.state, note: body.note),
            origin: body.origin, payload: body.payload, headers: record.headers, failures: body.failures,
            enqueuedAt: body.enqueuedAt, deadLetteredAt: arrival?.time ?? record.createdAt,
            // One more has to fit into what a record can say.
            redriveCount: min(max(0, redrives.overflow ? .max : redrives.partialValue), Int(UInt32.max) - 1),
            arrival: arrival)
    }

    /// When the letter was put: one that was imported has been here no longer than its record, whatever its times say.
    func arrived(in record: Record) -> Timestamp { arrival?.claims == 0 ? record.createdAt : deadLetteredAt }

    /// What the record of the letter holds.
    ///
    /// - Parameter orderKey: The record's own, which it has only where the order of letters counts.
    func content(orderKey: String?) -> RecordContent {
        RecordContent(
            state: reason.code, body: DeadLetterBody(self).encoded(), headers: headers, orderKey: orderKey)
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
