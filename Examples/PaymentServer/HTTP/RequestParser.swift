// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Takes requests of HTTP/1.1 (RFC 9112) out of a stream of bytes, as they come.
///
/// Strict where leniency is how requests are smuggled: lines end with CR LF, names and colons have no space between
/// them, there is one length, and it is told by `Content-Length` alone.
struct RequestParser {
    /// The most bytes of a request line with its fields.
    static let headLimit = 16 * 1_024
    /// The most fields.
    static let fieldLimit = 100
    /// The most bytes of a body.
    static let bodyLimit = 64 * 1_024
    /// The most empty lines before a request.
    static let emptyLineLimit = 4

    private var buffer: [UInt8] = []
    /// How many bytes of the buffer are known to contain no end of the fields.
    private var searched = 0
    /// How many empty lines have come before the next request.
    private var emptyLines = 0
    /// A request whose body has not come as a whole, and the bytes that this has.
    private var pending: (HTTPRequest, length: Int)?

    /// Whether nothing of a next request is there.
    var isEmpty: Bool { buffer.isEmpty && pending == nil }

    mutating func append(_ bytes: [UInt8]) { buffer += bytes }

    /// The next request; `nil` if it is not there as a whole. After an error nothing more is to be asked.
    mutating func next() throws(HTTPRefusal) -> HTTPRequest? {
        if pending == nil { pending = try nextHead() }
        guard case (var request, let length)? = pending, buffer.count >= length else { return nil }
        request.body = Array(buffer[..<length])
        buffer.removeFirst(length)
        pending = nil
        return request
    }

    private mutating func nextHead() throws(HTTPRefusal) -> (HTTPRequest, length: Int)? {
        // Some clients send an empty line behind a body.
        while buffer.starts(with: [0x0D, 0x0A]) {
            emptyLines += 1
            guard emptyLines <= Self.emptyLineLimit else { throw .malformed }
            buffer.removeFirst(2)
            searched = 0
        }
        guard let end = endOfHead() else {
            if buffer.count > Self.headLimit { throw .fieldsTooLarge }
            return nil
        }
        guard end <= Self.headLimit else { throw .fieldsTooLarge }
        let lines = try Self.lines(buffer[..<end])
        buffer.removeFirst(end + 4)
        (searched, emptyLines) = (0, 0)
        return try Self.head(lines)
    }

    /// Where the empty line behind the fields begins, with the line end before it.
    private mutating func endOfHead() -> Int? {
        for index in max(0, searched - 3)..<max(0, buffer.count - 3) where buffer[index] == 0x0D {
            if buffer[index + 1] == 0x0A, buffer[index + 2] == 0x0D, buffer[index + 3] == 0x0A { return index }
        }
        searched = buffer.count
        return nil
    }

    private static func lines(_ head: ArraySlice<UInt8>) throws(HTTPRefusal) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var rest = head
        while let end = rest.firstIndex(of: 0x0D) {
            guard end + 1 < rest.endIndex, rest[end + 1] == 0x0A else { throw .malformed }
            lines.append(rest[..<end])
            rest = rest[(end + 2)...]
        }
        return lines + [rest]
    }

    private static func head(_ lines: [ArraySlice<UInt8>]) throws(HTTPRefusal) -> (HTTPRequest, length: Int) {
        guard lines.count <= fieldLimit + 1 else { throw .fieldsTooLarge }
        var (request, isOld) = try requestLine(lines[0])
        for line in lines.dropFirst() { request.fields.append(try field(line)) }
        let hosts = request.values(of: "Host").count
        guard hosts == 1 || isOld && hosts == 0 else { throw .malformed }
        let options = request.values(of: "Connection").joined(separator: ",").lowercased()
            .split(whereSeparator: { ", \t".contains($0) })
        request.keepsAlive = !isOld && !options.contains("close")
        guard request.values(of: "Transfer-Encoding").isEmpty else { throw .lengthRequired }
        let length = try length(of: request)
        guard request.values(of: "Expect").isEmpty else { throw .expectationFailed }
        return (request, length)
    }

    private static func requestLine(_ line: ArraySlice<UInt8>) throws(HTTPRefusal) -> (HTTPRequest, isOld: Bool) {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(isTokenByte),
            parts[1].first == UInt8(ascii: "/"), parts[1].allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw .malformed }
        let version = text(parts[2])
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
            throw version.hasPrefix("HTTP/") ? .versionNotSupported : .malformed
        }
        let target = parts[1].split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let request = HTTPRequest(
            method: text(parts[0]), path: text(target[0]), query: target.count == 2 ? text(target[1]) : nil)
        return (request, version == "HTTP/1.0")
    }

    private static func field(_ line: ArraySlice<UInt8>) throws(HTTPRefusal) -> HTTPFieldLine {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(isTokenByte)
        else { throw .malformed }
        var value = line[(colon + 1)...]
        while let byte = value.first, byte == 0x20 || byte == 0x09 { value.removeFirst() }
        while let byte = value.last, byte == 0x20 || byte == 0x09 { value.removeLast() }
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { throw .malformed }
        return HTTPFieldLine(text(line[..<colon]), text(value))
    }

    private static func length(of request: HTTPRequest) throws(HTTPRefusal) -> Int {
        let values = request.values(of: "Content-Length")
        guard let value = values.first else {
            if ["POST", "PUT", "PATCH"].contains(request.method) { throw .lengthRequired }
            return 0
        }
        guard values.count == 1, !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw .malformed
        }
        // Too many digits for a number are too many bytes, too.
        guard let length = Int(value), length <= bodyLimit else { throw .bodyTooLarge }
        return length
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
