// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// By what requests are told apart: who shares a limit.
enum KeyRule: String, CaseIterable {
    /// By the client's address, an IPv6 address by its network of 64 bits: whoever has one address of it has all.
    case client
    /// By the user's name; requests of nobody share one limit.
    case user
    /// By the first part of the path.
    case pathPrefix = "path-prefix"

    /// The most bytes that a key may have, so that strangers do not fill the memory.
    static let longest = 255

    /// The key of a line.
    func key(of line: AccessLine) throws(AccessLine.Problem) -> String {
        let text =
            switch self {
            case .client: line.client
            case .user: line.user
            case .pathPrefix: Self.firstPart(of: line.request)
            }
        guard text.count <= Self.longest else { throw .keyTooLong }
        if self == .client, text.contains(UInt8(ascii: ":")), let address = IPv6Address(text) {
            return address.client
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `/api` of `GET /api/orders?page=2 HTTP/1.1`; a dash if there is no path.
    private static func firstPart(of request: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let slash = UInt8(ascii: "/")
        let words = request.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count > 1, words[1].first == slash else { return [UInt8(ascii: "-")] }
        let end = words[1].dropFirst().firstIndex { $0 == slash || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        return words[1][..<(end ?? words[1].endIndex)]
    }
}

/// An IPv6 address as text (RFC 4291, section 2.2).
struct IPv6Address: Equatable {
    /// Eight numbers of 16 bits.
    let groups: [UInt16]

    /// An address, or `nil` if the text is none. A zone, as in `fe80::1%eth0`, is not looked at.
    init?(_ text: ArraySlice<UInt8>) {
        let address = text.prefix { $0 != UInt8(ascii: "%") }
        // What stands before the gap, and what after it.
        var sides: [[UInt16]] = [[]]
        var rest = address
        if rest.starts(with: [.colon, .colon]) {
            sides.append([])
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let word = rest.prefix { $0 != .colon }
            rest = rest[word.endIndex...]
            if rest.isEmpty, let tail = Self.dotted(word) {
                sides[sides.count - 1] += tail
                break
            }
            guard let group = Self.hexadecimal(word) else { return nil }
            sides[sides.count - 1].append(group)
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.first == .colon {
                // There is at most one gap.
                guard sides.count == 1 else { return nil }
                sides.append([])
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let known = sides.reduce(0) { $0 + $1.count }
        guard sides.count == 1 ? known == 8 : known < 8 else { return nil }
        groups = sides[0] + Array(repeating: 0, count: 8 - known) + (sides.count == 2 ? sides[1] : [])
    }

    /// Who is limited: the network of 64 bits, or the IPv4 address that a server of both protocols writes as
    /// `::ffff:198.51.100.7`.
    var client: String {
        if groups[..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
            return groups[6...].flatMap { ["\($0 >> 8)", "\($0 & 0xFF)"] }.joined(separator: ".")
        }
        return groups[..<4].map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }

    private static func hexadecimal(_ word: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(word.count) else { return nil }
        var value: UInt16 = 0
        for byte in word {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// The last 32 bits where they are written like an IPv4 address.
    private static func dotted(_ word: ArraySlice<UInt8>) -> [UInt16]? {
        let parts = word.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt16] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            let value = part.reduce(UInt16(0)) { $0 * 10 + UInt16($1 - 0x30) }
            guard value < 256 else { return nil }
            bytes.append(value)
        }
        return [bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]]
    }
}

extension UInt8 {
    fileprivate static let colon = UInt8(ascii: ":")
}
