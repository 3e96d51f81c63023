// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A field of an HTTP message: a name, whose case does not matter, and a value.
public struct HTTPFieldLine: Hashable, Sendable {
    /// The field's name.
    public var name: String
    /// The field's value.
    public var value: String

    /// A field of that name and value.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A response as it is stored and replayed: status, fields and body.
public struct HTTPResponseRecord: Hashable, Sendable {
    /// The status code.
    public var status: Int
    /// The fields, in their order; a name may occur several times.
    public var fields: [HTTPFieldLine]
    /// The content.
    public var body: [UInt8]

    /// A response of those parts.
    ///
    /// - Precondition: The status has three digits.
    public init(status: Int, fields: [HTTPFieldLine] = [], body: [UInt8] = []) {
        precondition(Self.statuses.contains(status), "A status has three digits, not \(status)")
        self.status = status
        self.fields = fields
        self.body = body
    }

    static let statuses = 100...999

    /// The fields that are not stored unless a policy says otherwise.
    ///
    /// - `connection` and those that it names, `keep-alive`, `proxy-connection`, `te`, `trailer`, `transfer-encoding` and
    ///   `upgrade`: they are about one connection or one transfer (RFC 9110, section 7.6.1), not about the response.
    /// - `content-length`: the server that sends the replay computes it, and a message with two of them is an attack.
    /// - `date`: it says when a message was made, and a replay is a message of its own.
    /// - `set-cookie`: it is a credential, which a store should not keep, and a late replay would set back a session.
    public static let unstoredFields: Set<String> = [
        "connection", "content-length", "date", "keep-alive", "proxy-connection", "set-cookie", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// The response without the fields of those names, given in lower case, and without those that `Connection` names.
    public func removingFields(_ names: Set<String> = unstoredFields) -> HTTPResponseRecord {
        var names = names
        for line in fields where line.name.lowercased() == "connection" {
            for option in line.value.split(whereSeparator: { ", \t".contains($0) }) {
                names.insert(option.lowercased())
            }
        }
        var record = self
        record.fields.removeAll { names.contains($0.name.lowercased()) }
        return record
    }

    /// The response with that field once, in place of any lines of its name.
    public func setting(_ name: String, to value: String) -> HTTPResponseRecord {
        var record = self
        record.fields.removeAll { $0.name.lowercased() == name.lowercased() }
        record.fields.append(HTTPFieldLine(name, value))
        return record
    }
}

extension OutputCodec where Output == HTTPResponseRecord {
    /// Responses, as they are, in a binary form with a version.
    ///
    /// Version 1: the byte 1; the status; the number of fields; name and value of each; the body. Numbers are LEB128, and
    /// texts and the body have their length before them.
    public static var httpResponse: OutputCodec {
        OutputCodec(encode: \.encoded, decode: { try HTTPResponseRecord(encoded: $0) })
    }
}

extension HTTPResponseRecord {
    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.reserveCapacity(fields.reduce(body.count + 16) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 })
        writer.write(UInt8(1))
        writer.write(variable: UInt64(status))
        writer.write(variable: UInt64(fields.count))
        for line in fields {
            writer.write(line.name)
            writer.write(line.value)
        }
        writer.write(body)
        return writer.bytes
    }

    init(encoded bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == 1 else { throw MalformedBytes(offset: 0) }
        guard let status = Int(exactly: try reader.readVariable()), Self.statuses.contains(status) else {
            throw MalformedBytes(offset: 1)
        }
        var fields: [HTTPFieldLine] = []
        for _ in 0..<(try reader.readCount()) {
            fields.append(HTTPFieldLine(try reader.readString(), try reader.readString()))
        }
        self.init(status: status, fields: fields, body: try reader.readBytes())
        try reader.finish()
    }
}
