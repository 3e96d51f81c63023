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
/// again, such as a time or a trace identifier. Fields are sorted by the bytes of their names, so their order does not
/// matter, and every name and value is hashed with its length. Take the fingerprint before the handler can change the
/// request.
///
/// Version 1 is SHA-256. A digest of few possible values, such as a card number, can be reversed by trying them all:
/// leave such fields out, or make the fingerprint with a ``FingerprintKey``, without which nobody can try.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    /// What a store keeps: the digest by the first key, or without one.
    public let stored: StoredFingerprint
    /// The digests of the same fields by the other keys, for comparison alone.
    private let others: [StoredFingerprint]

    /// No fingerprint: the key alone says what the request is, and nothing tells two requests under one key apart.
    ///
    /// For requests that a key cannot be reused for by mistake, such as one derived from what is asked for.
    public static let none = Fingerprint(stored: .none)

    init(stored: StoredFingerprint, others: [StoredFingerprint] = []) {
        self.stored = stored
        self.others = others
    }

    /// The fingerprint of the fields that `build` names, without a key.
    public init<Failure: Error>(_ build: (inout Fields) throws(Failure) -> Void) throws(Failure) {
        var fields = Fields()
        try build(&fields)
        self.init(stored: StoredFingerprint(sha256: fields.digest()))
    }

    /// The fingerprint of the fields that `build` names, by one key or several.
    ///
    /// The first key makes what is stored; a stored fingerprint by any of them can be compared. So a key is replaced
    /// without a gap in three steps, each on every process before the next: `[old, new]`, `[new, old]`, and `[new]`
    /// once nothing made by the old one is stored any more. ``FingerprintKey/unkeyed`` takes part like a key.
    ///
    /// What a key authenticates is the SHA-256 of the fields, so each field is hashed once, however many keys there
    /// are.
    ///
    /// - Precondition: There is at least one key, and no two have the same identifier.
    public init<Failure: Error>(
        keys: [FingerprintKey], _ build: (inout Fields) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(!keys.isEmpty, "A fingerprint with keys needs at least one")
        precondition(
            Set(keys.map(\.id)).count == keys.count, "Two keys of a fingerprint have the same name: \(keys)")
        var fields = Fields()
        try build(&fields)
        let digest = fields.digest()
        let all = keys.map { $0.fingerprint(of: digest) }
        self.init(stored: all[0], others: Array(all.dropFirst()))
    }

    /// Whether what is stored was made for the same request.
    public func compared(to other: StoredFingerprint) -> FingerprintComparison {
        var comparison = stored.compared(to: other)
        for another in others where comparison == .incomparable { comparison = another.compared(to: other) }
        return comparison
    }

    /// The text of what is stored, such as `v1:sha256:` and 64 hexadecimal digits.
    public var description: String { stored.description }
}

/// What comparing a request's fingerprint with a stored one says.
public enum FingerprintComparison: Hashable, Sendable {
    /// Both were made of the same fields, or both are ``Fingerprint/none``.
    case same
    /// They were made of different fields.
    case different
    /// Nothing can be said: another algorithm, version or key made the stored one, or exactly one of the two is
    /// ``Fingerprint/none``.
    case incomparable
}
