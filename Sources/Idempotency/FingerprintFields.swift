// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Fingerprint {
    /// The named fields of a fingerprint in the making.
    ///
    /// A value counts as its bytes: 100 and `"100"` are the same. A field that is left out differs from an empty one.
    /// Each name is given once; names are compared byte by byte.
    public struct Fields {
        private enum Value {
            case text(String)
            case bytes([UInt8])
        }

        private var entries: [(name: String, value: Value)] = []

        /// Adds a text, as its UTF-8.
        public mutating func field(_ name: String, _ value: String) { entries.append((name, .text(value))) }

        /// Adds a number, as its decimal digits.
        public mutating func field(_ name: String, _ value: some BinaryInteger) { field(name, String(value)) }

        /// Adds a truth value, as `true` or `false`.
        public mutating func field(_ name: String, _ value: Bool) { field(name, value ? "true" : "false") }

        /// Adds bytes as they are, such as a request's whole body.
        public mutating func field(_ name: String, _ value: [UInt8]) { entries.append((name, .bytes(value))) }

        /// Version 1: the SHA-256 of a title and of all names and values in the order of the names, each with its
        /// length in LEB128 before it.
        consuming func digest() -> SHA256 {
            entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            var stream = SHA256Stream()
            stream.update(counted: "idempotency fingerprint 1")
            var previous: String?
            for entry in entries {
                let isNew = previous.map { !$0.utf8.elementsEqual(entry.name.utf8) } ?? true
                precondition(isNew, "The fingerprint has the field \(entry.name) twice")
                previous = entry.name
                stream.update(counted: entry.name)
                switch entry.value {
                case .text(let text): stream.update(counted: text)
                case .bytes(let bytes):
                    stream.update(variable: UInt64(bytes.count))
                    stream.update(bytes)
                }
            }
            return stream.finish()
        }
    }
}

extension SHA256Stream {
    fileprivate mutating func update(counted text: String) {
        update(variable: UInt64(text.utf8.count))
        update(text)
    }

    /// Takes in a number of 1 to 10 bytes, seven bits in each, the lowest first.
    fileprivate mutating func update(variable value: UInt64) {
        var rest = value
        repeat {
            let byte = rest < 0x80 ? UInt8(rest) : UInt8(truncatingIfNeeded: rest) | 0x80
            unsafe withUnsafeBytes(of: byte) { unsafe update($0) }
            rest >>= 7
        } while rest > 0
    }
}
