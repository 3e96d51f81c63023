// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a request asks for, as a digest: the same key with another fingerprint is a mistake of the client's, and is
/// told so instead of being given the answer to another question.
///
/// ```swift
/// let fingerprint = Fingerprint {
///     $0.field("amount", order.amount)
///     $0.field("currency", order.currency)
/// }
/// ```
///
/// The caller chooses the fields: those that make it the same request, and none that a client may change when it tries
/// again, such as a time or a trace identifier. Fields are sorted by name, so their order does not matter, and every
/// name and value is hashed with its length. Take the fingerprint before the handler can change the request.
///
/// Version 1 is SHA-256. A digest of few possible values, such as a card number, can be reversed by trying them all:
/// leave such fields out.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    let digest: SHA256

    init(digest: SHA256) { self.digest = digest }

    /// The fingerprint of the fields that `build` names.
    public init<Failure: Error>(_ build: (inout Fields) throws(Failure) -> Void) throws(Failure) {
        var fields = Fields()
        try build(&fields)
        digest = fields.digest
    }

    /// The version, the algorithm and the digest, as `v1:sha256:` and 64 hexadecimal digits.
    public var description: String { "v1:sha256:\(digest.hexadecimal)" }

    /// The named fields of a fingerprint in the making.
    ///
    /// A value counts as its bytes: 100 and `"100"` are the same. A field that is left out differs from an empty one.
    public struct Fields {
        private var entries: [(name: String, value: [UInt8])] = []

        /// Adds a text, as its UTF-8.
        public mutating func field(_ name: String, _ value: String) { add(name, Array(value.utf8)) }

        /// Adds a number, as its decimal digits.
        public mutating func field(_ name: String, _ value: some BinaryInteger) { field(name, String(value)) }

        /// Adds a truth value, as `true` or `false`.
        public mutating func field(_ name: String, _ value: Bool) { field(name, value ? "true" : "false") }

        /// Adds bytes as they are, such as a request's whole body.
        public mutating func field(_ name: String, _ value: [UInt8]) { add(name, value) }

        private mutating func add(_ name: String, _ value: [UInt8]) {
            precondition(!entries.contains { $0.name == name }, "The fingerprint has the field \(name) twice")
            entries.append((name, value))
        }

        fileprivate var digest: SHA256 {
            var writer = ByteWriter()
            writer.reserveCapacity(entries.reduce(64) { $0 + $1.name.utf8.count + $1.value.count + 8 })
            writer.write("idempotency fingerprint 1")
            for entry in entries.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
                writer.write(entry.name)
                writer.write(entry.value)
            }
            return SHA256(of: writer.bytes)
        }
    }
}
