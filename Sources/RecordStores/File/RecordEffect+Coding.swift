// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How effects are written in a journal, format version 1.
extension RecordEffect {
    func encode(into writer: inout ByteWriter) {
        switch self {
        case .put(let record):
            writer.write(UInt8(1))
            record.encode(into: &writer)
        case .hold(let id, let fence, let holder, let until, let claims):
            writer.write(UInt8(2))
            id.encode(into: &writer)
            writer.write(fence.rawValue)
            holder.encode(into: &writer)
            writer.write(until.nanosecondsSince1970)
            writer.write(variable: UInt64(claims))
        case .extend(let id, let until):
            writer.write(UInt8(3))
            id.encode(into: &writer)
            writer.write(until.nanosecondsSince1970)
        case .remove(let id):
            writer.write(UInt8(4))
            id.encode(into: &writer)
        }
    }

    init(from reader: inout ByteReader) throws(MalformedBytes) {
        switch try reader.readUInt8() {
        case 1:
            self = .put(try Record(from: &reader))
        case 2:
            self = .hold(
                try RecordID(from: &reader), try Fence(from: &reader), try Holder(from: &reader),
                until: try Timestamp(from: &reader), claims: try reader.readClaims())
        case 3:
            self = .extend(try RecordID(from: &reader), until: try Timestamp(from: &reader))
        case 4:
            self = .remove(try RecordID(from: &reader))
        default:
            throw MalformedBytes(offset: 0)
        }
    }
}

extension RecordID {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.write(collection)
        writer.write(key)
    }

    fileprivate init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(try reader.readString(), try reader.readString())
    }
}

extension Fence {
    /// Of the last incarnation none is taken, so that a fence has always a next one.
    init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(rawValue: try reader.readUInt64())
        guard incarnation < .max else { throw MalformedBytes(offset: 0) }
    }
}

extension Timestamp {
    fileprivate init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(nanosecondsSince1970: try reader.readInt64())
    }
}

extension Holder {
    fileprivate func encode(into writer: inout ByteWriter) {
        writer.write(nonce)
        process.encode(into: &writer)
    }

    fileprivate init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(nonce: try reader.readUInt64(), process: try ProcessIdentity(from: &reader))
    }
}

extension ProcessIdentity {
    func encode(into writer: inout ByteWriter) {
        writer.write(host)
        writer.write(UInt32(bitPattern: pid))
        writer.write(instance)
    }

    init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            host: try reader.readString(), pid: Int32(bitPattern: try reader.readUInt32()),
            instance: try reader.readUInt64())
    }
}

extension ByteReader {
    fileprivate mutating func readClaims() throws(MalformedBytes) -> Int {
        let claims = try readVariable()
        guard claims <= JournalFormat.largestCount else { throw MalformedBytes(offset: 0) }
        return Int(claims)
    }
}

extension Record {
    func encode(into writer: inout ByteWriter) {
        id.encode(into: &writer)
        writer.write(fence.rawValue)
        writer.write(changedUnder) { $0.write($1.rawValue) }
        writer.write(holder) { $1.encode(into: &$0) }
        writer.write(leaseUntil) { $0.write($1.nanosecondsSince1970) }
        writer.write(dueAt) { $0.write($1.nanosecondsSince1970) }
        writer.write(variable: position)
        writer.write(orderKey) { $0.write($1) }
        writer.write(expiresAt) { $0.write($1.nanosecondsSince1970) }
        writer.write(state)
        writer.write(variable: UInt64(claims))
        writer.write(createdAt.nanosecondsSince1970)
        writer.write(variable: UInt64(headers.count))
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            writer.write(name)
            writer.write(value)
        }
        writer.write(body)
    }

    init(from reader: inout ByteReader) throws(MalformedBytes) {
        func time(_ reader: inout ByteReader) throws(MalformedBytes) -> Timestamp { try Timestamp(from: &reader) }
        let id = try RecordID(from: &reader)
        let fence = try Fence(from: &reader)
        let changedUnder = try reader.readOptional { reader throws(MalformedBytes) in try Fence(from: &reader) }
        let holder = try reader.readOptional { reader throws(MalformedBytes) in try Holder(from: &reader) }
        let leaseUntil = try reader.readOptional(time)
        let dueAt = try reader.readOptional(time)
        let position = try reader.readVariable()
        guard position <= JournalFormat.largestCount else { throw MalformedBytes(offset: 0) }
        let orderKey = try reader.readOptional { reader throws(MalformedBytes) in try reader.readString() }
        let expiresAt = try reader.readOptional(time)
        let state = try reader.readString()
        let claims = try reader.readClaims()
        let createdAt = try Timestamp(from: &reader)
        var headers: [String: String] = [:]
        for _ in 0..<(try reader.readCount()) { headers[try reader.readString()] = try reader.readString() }
        self.init(
            id: id, fence: fence, changedUnder: changedUnder, holder: holder, leaseUntil: leaseUntil, dueAt: dueAt,
            position: position, orderKey: orderKey, expiresAt: expiresAt, state: state, claims: claims,
            createdAt: createdAt, headers: headers, body: try reader.readBytes())
    }
}
