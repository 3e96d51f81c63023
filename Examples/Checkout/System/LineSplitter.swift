// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into lines without ever holding more than one line of the permitted length.
///
/// A line ends with a line feed, which is not part of it, and neither is a carriage return before that. Of a longer
/// line only the beginning is kept, while the rest of it is counted and forgotten.
struct LineSplitter: Sendable {
    enum Line: Equatable, Sendable {
        case whole([UInt8])
        /// A line above the limit: its first bytes, at most ``LineSplitter/prefixLength``, and its size in bytes.
        case oversized(prefix: [UInt8], size: Int)
    }

    /// How much is kept of a line that is too long.
    static let prefixLength = 256

    private let limit: Int
    private var chunk: ArraySlice<UInt8> = []
    private var pending: [UInt8] = []
    private var pendingSize = 0

    /// A splitter for lines of at most `limit` bytes.
    init(limit: Int) {
        precondition(limit >= Self.prefixLength, "a line limit of \(limit) is below \(Self.prefixLength)")
        self.limit = limit
    }

    /// Adds the next bytes of the stream; call ``next()`` until it is `nil` before adding more.
    mutating func append(_ bytes: [UInt8]) {
        chunk += bytes
    }

    /// The next line that has ended, or `nil` if there is none yet.
    mutating func next() -> Line? {
        guard let end = chunk.firstIndex(of: UInt8(ascii: "\n")) else {
            take(chunk)
            chunk = []
            return nil
        }
        take(chunk[..<end])
        chunk = chunk[(end + 1)...]
        return takeLine()
    }

    /// Whether the line that has not ended yet is already too long.
    var isOverLimit: Bool { pendingSize > limit }

    /// The last line if it did not end with a line feed: call it once at the end of the stream.
    mutating func finish() -> Line? {
        pendingSize > 0 ? takeLine() : nil
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        pendingSize += bytes.count
        if pendingSize <= limit {
            pending += bytes
        } else if pending.count < Self.prefixLength {
            pending += bytes.prefix(Self.prefixLength - pending.count)
        } else {
            pending.removeSubrange(Self.prefixLength...)
        }
    }

    private mutating func takeLine() -> Line {
        defer {
            pending = []
            pendingSize = 0
        }
        guard pendingSize <= limit else { return .oversized(prefix: pending, size: pendingSize) }
        if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
        return .whole(pending)
    }
}
