// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into lines, and never holds much more than one of the permitted length.
///
/// A line ends with a line feed, which is not part of it, and neither is a carriage return before that.
struct LineBuffer {
    enum Line: Equatable {
        case whole(ArraySlice<UInt8>)
        /// A line that is longer than ``LineBuffer/longest``.
        case tooLong
    }

    /// The most bytes of a line: several times what servers let a request's line and its fields be.
    static let longest = 65_536

    private var bytes: [UInt8] = []
    private var start = 0
    /// Whether the bytes are in the midst of a line of which the beginning is gone, because it was too long.
    private var isInTooLong = false

    /// Adds the next bytes of the stream; call ``next()`` until it is `nil` before adding more.
    mutating func append(_ chunk: [UInt8]) {
        if start == bytes.count {
            bytes = chunk
        } else {
            bytes.removeFirst(start)
            bytes += chunk
        }
        start = 0
    }

    /// The next line that has ended, or `nil` if there is none yet.
    mutating func next() -> Line? {
        guard let end = endOfLine() else {
            if bytes.count - start > Self.longest {
                isInTooLong = true
                start = bytes.count
            }
            return nil
        }
        defer { start = end + 1 }
        return line(to: end)
    }

    /// The last line if it did not end with a line feed: call it once at the end of the stream.
    mutating func last() -> Line? {
        guard start < bytes.count || isInTooLong else { return nil }
        defer { start = bytes.count }
        return line(to: bytes.count)
    }

    private mutating func line(to end: Int) -> Line {
        guard !isInTooLong, end - start <= Self.longest else {
            isInTooLong = false
            return .tooLong
        }
        let hasReturn = end > start && bytes[end - 1] == UInt8(ascii: "\r")
        return .whole(bytes[start..<(hasReturn ? end - 1 : end)])
    }

    private func endOfLine() -> Int? { bytes[start...].firstIndex(of: UInt8(ascii: "\n")) }
}
