// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A secret that fingerprints are made with, so that whoever reads the store cannot find out by trial what was asked for.
///
/// ```swift
/// let key = try FingerprintKey(id: "2026-11", secret: secret)
/// let fingerprint = Fingerprint(keys: [key]) { $0.field("card", card.number) }
/// ```
///
/// The algorithm is HMAC-SHA-256 (RFC 2104) of the SHA-256 of the fields. The secret is random, 32 bytes for choice,
/// the same in every process, and kept apart from the store. The key itself keeps no copy of it, only what the algorithm
/// makes of it first.
public struct FingerprintKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// The bytes that an identifier may have.
    public static let allowedID = 1...64
    /// The bytes that a secret may have.
    public static let allowedSecret = 16...1_024

    /// No key, plain SHA-256: takes its place among keys while these are introduced or given up.
    public static let unkeyed = FingerprintKey()

    /// The name under which fingerprints remember their key; `nil` for ``unkeyed``.
    public let id: String?
    private let code: HMACSHA256?

    private init() {
        id = nil
        code = nil
    }

    /// A key of a secret, with a name of its own.
    ///
    /// The name is stored in the clear with every fingerprint. Another secret needs another name: under the same one,
    /// every repeated request would count as a different one.
    ///
    /// - Parameters:
    ///   - id: 1 to 64 bytes of visible ASCII, without a colon.
    ///   - secret: 16 to 1,024 bytes.
    /// - Throws: ``FingerprintKeyRefused``, which does not show the secret.
    public init(id: String, secret: [UInt8]) throws(FingerprintKeyRefused) {
        guard Self.allowedID.contains(id.utf8.count) else {
            throw .size(RefusedInput(field: "id", size: id.utf8.count, allowed: Self.allowedID))
        }
        if let scalar = id.unicodeScalars.first(where: { !Self.isAllowed($0) }) { throw .character(scalar) }
        guard Self.allowedSecret.contains(secret.count) else {
            throw .size(RefusedInput(field: "secret", size: secret.count, allowed: Self.allowedSecret))
        }
        self.id = id
        code = HMACSHA256(secret: secret)
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool { "!"..."~" ~= scalar && scalar != ":" }

    static func isID(_ text: some StringProtocol) -> Bool {
        allowedID.contains(text.utf8.count) && text.unicodeScalars.allSatisfy(isAllowed)
    }

    func fingerprint(of digest: SHA256) -> StoredFingerprint {
        guard let id, let code else { return StoredFingerprint(sha256: digest) }
        return StoredFingerprint(keyed: code.authenticate(digest.bytes), by: id)
    }

    /// The identifier alone.
    public var description: String { id.map { "fingerprint key \($0)" } ?? "no fingerprint key" }

    /// The identifier alone.
    public var customMirror: Mirror { Mirror(self, children: ["id": id as Any]) }
}

/// A fingerprint key that is not taken.
public enum FingerprintKeyRefused: Error, Hashable, CustomStringConvertible {
    /// The identifier or the secret has a size that is not allowed.
    case size(RefusedInput)
    /// The identifier contains this, which is a colon or not visible ASCII.
    case character(Unicode.Scalar)

    /// What is wrong.
    public var description: String {
        switch self {
        case .size(let input): "\(input)"
        case .character(let scalar): "id contains U+\(String(scalar.value, radix: 16, uppercase: true))"
        }
    }
}

/// HMAC-SHA-256 (RFC 2104) by one secret, of which only the digest states after its two pads are kept.
struct HMACSHA256: Sendable {
    private let inner: SHA256State
    private let outer: SHA256State

    init(secret: [UInt8]) {
        var block = secret.count > 64 ? SHA256(of: secret).bytes : secret
        block += [UInt8](repeating: 0, count: 64 - block.count)
        inner = SHA256State(afterBlock: block.map { $0 ^ 0x36 })
        outer = SHA256State(afterBlock: block.map { $0 ^ 0x5C })
    }

    func authenticate(_ message: [UInt8]) -> SHA256 {
        var stream = SHA256Stream(after: inner, count: 64)
        stream.update(message)
        let digest = stream.finish()
        var last = SHA256Stream(after: outer, count: 64)
        last.update(digest.bytes)
        return last.finish()
    }
}
