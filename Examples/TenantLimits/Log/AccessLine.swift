// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a limiter needs to know of a line of an access log in the common or the combined format:
///
/// ```
/// 198.51.100.7 - ada [10/Oct/2000:13:55:36 -0700] "GET /api/orders HTTP/1.1" 200 2326 "referrer" "user agent"
/// ```
///
/// What a client can put into its request is data of a stranger, so nothing is taken for granted: the user may contain
/// spaces and brackets, quotes in the quoted fields come with a backslash before them, nothing need be UTF-8. Fields that
/// a server adds at the end are not looked at.
struct AccessLine {
    /// Why a line is no line of an access log.
    enum Problem: Error, Equatable {
        case empty
        case tooLong
        case noClient
        case noTime
        case noSuchTime
        case noRequest
        case noStatus
        case noSize
        case unfinished
        case keyTooLong
    }

    /// The address or the name of the client.
    let client: ArraySlice<UInt8>
    /// The user's name; a dash if there is none.
    let user: ArraySlice<UInt8>
    /// Seconds since 1970.
    let time: Int64
    /// The request's first line, as it is in the log.
    let request: ArraySlice<UInt8>

    /// Reads a line, without its line feed.
    init(_ line: ArraySlice<UInt8>) throws(Problem) {
        var rest = line
        guard !rest.isEmpty else { throw .empty }
        guard let client = rest.take(until: .space), !client.isEmpty else { throw .noClient }
        guard rest.take(until: .space) != nil, let bracket = Self.bracket(of: rest) else { throw .noTime }
        self.client = client
        user = rest[..<bracket]
        rest = rest[(bracket + 2)...]
        guard let time = LogTime.seconds(of: rest.prefix(LogTime.length)) else { throw .noSuchTime }
        self.time = time
        rest = rest.dropFirst(LogTime.length + 1)
        guard rest.skip(.space), let request = rest.takeQuoted() else { throw .noRequest }
        self.request = request
        guard rest.skip(.space), let status = rest.take(until: .space), status.count == 3, status.isNumber else {
            throw .noStatus
        }
        let size = rest.take(until: .space) ?? rest.takeAll()
        guard size.isNumber || size.elementsEqual([.dash]) else { throw .noSize }
        guard !rest.isEmpty else { return }
        guard rest.takeQuoted() != nil, rest.skip(.space), rest.takeQuoted() != nil,
            rest.isEmpty || rest.first == .space
        else { throw .unfinished }
    }

    /// Where the space and the bracket are before the time: before the first 26 bytes in brackets, whatever they are.
    private static func bracket(of text: ArraySlice<UInt8>) -> Int? {
        let closing = LogTime.length + 2
        var index = text.startIndex
        while index + closing < text.endIndex {
            if text[index] == .space, text[index + 1] == .openingBracket, text[index + closing] == .closingBracket {
                return index
            }
            index += 1
        }
        return nil
    }
}

extension AccessLine.Problem: CustomStringConvertible {
    var description: String {
        switch self {
        case .empty: "it is empty"
        case .tooLong: "it is longer than \(LineBuffer.longest) bytes"
        case .noClient: "it does not begin with a client and a space"
        case .noTime: "it has no time in brackets"
        case .noSuchTime: "there is no such time"
        case .noRequest: "it has no request in quotes"
        case .noStatus: "it has no status of three digits"
        case .noSize: "it has no size"
        case .unfinished: "its last fields are not two in quotes"
        case .keyTooLong: "its key is longer than \(KeyRule.longest) bytes"
        }
    }
}

extension UInt8 {
    fileprivate static let space = UInt8(ascii: " ")
    fileprivate static let quote = UInt8(ascii: "\"")
    fileprivate static let backslash = UInt8(ascii: "\\")
    fileprivate static let openingBracket = UInt8(ascii: "[")
    fileprivate static let closingBracket = UInt8(ascii: "]")
    fileprivate static let dash = UInt8(ascii: "-")
}

extension ArraySlice<UInt8> {
    /// Whether it is digits, at least one.
    fileprivate var isNumber: Bool { !isEmpty && allSatisfy { (0x30...0x39).contains($0) } }

    /// Takes what stands before a byte, and the byte; `nil` if it does not occur.
    fileprivate mutating func take(until end: UInt8) -> ArraySlice<UInt8>? {
        guard let index = firstIndex(of: end) else { return nil }
        defer { self = self[(index + 1)...] }
        return self[..<index]
    }

    fileprivate mutating func takeAll() -> ArraySlice<UInt8> {
        defer { self = [] }
        return self
    }

    /// Takes a byte that must be next.
    fileprivate mutating func skip(_ byte: UInt8) -> Bool {
        guard first == byte else { return false }
        self = dropFirst()
        return true
    }

    /// Takes what stands in quotes; `nil` if there is no quote or no closing one. A backslash takes the next byte its
    /// meaning.
    fileprivate mutating func takeQuoted() -> ArraySlice<UInt8>? {
        guard first == .quote else { return nil }
        var index = startIndex + 1
        while index < endIndex, self[index] != .quote { index += self[index] == .backslash ? 2 : 1 }
        guard index < endIndex else { return nil }
        defer { self = self[(index + 1)...] }
        return self[(startIndex + 1)..<index]
    }
}
