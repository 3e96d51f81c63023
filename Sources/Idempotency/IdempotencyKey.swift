// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What makes two requests the same: who asks, for which operation, under which key.
///
/// All three always count. Two tenants that happen to send the same key never meet, and neither do two operations. The
/// parts are stored with their lengths, so `"a"` with `"bc"` is not `"ab"` with `"c"`, and they are compared byte by
/// byte.
public struct IdempotencyKey: Hashable, Sendable, CustomStringConvertible {
    /// The bytes of UTF-8 that each part may have.
    public static let allowed = 1...255

    /// The collection of the record store that keeps the keys.
    public static let collection = "idempotency"

    /// Who asks: the authenticated account, never something that the request is free to choose.
    public let tenant: String
    /// The operation's name.
    public let operation: String
    /// The key that the client sent, or one derived from the request.
    public let key: String
    /// The record in which a store keeps the key: `length:part` for each of the three, at most 777 bytes.
    public let recordID: RecordID

    /// A key of those parts, each of 1 to 255 bytes of UTF-8 without control characters.
    ///
    /// What is too long is refused, never cut: cutting would make two keys one.
    ///
    /// - Throws: ``IdempotencyKeyRefused`` naming the part that is not taken.
    public init(tenant: String, operation: String, key: String) throws(IdempotencyKeyRefused) {
        try Self.check("tenant", tenant)
        try Self.check("operation", operation)
        try Self.check("key", key)
        self.tenant = tenant
        self.operation = operation
        self.key = key
        var name = ""
        name.reserveCapacity(tenant.utf8.count + operation.utf8.count + key.utf8.count + 12)
        for part in [tenant, operation, key] {
            name += String(part.utf8.count)
            name += ":"
            name += part
        }
        recordID = RecordID(Self.collection, name)
    }

    /// The key that a record of ``collection`` stands for; `nil` if the record's name is not one of a key.
    ///
    /// For operators, who find keys by scanning the store.
    public init?(_ recordID: RecordID) {
        var rest = Substring(recordID.key).utf8
        guard recordID.collection == Self.collection,
            let tenant = Self.part(of: &rest), let operation = Self.part(of: &rest), let text = Self.part(of: &rest),
            rest.isEmpty, let key = try? IdempotencyKey(tenant: tenant, operation: operation, key: text),
            key.recordID == recordID
        else { return nil }
        self = key
    }

    private static func part(of rest: inout Substring.UTF8View) -> String? {
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), let count = Int(Substring(rest[..<colon])),
            allowed.contains(count), let end = rest.index(colon, offsetBy: count + 1, limitedBy: rest.endIndex)
        else { return nil }
        defer { rest = rest[end...] }
        return String(Substring(rest[rest.index(after: colon)..<end]))
    }

    static func check(_ field: String, _ part: String) throws(IdempotencyKeyRefused) {
        guard allowed.contains(part.utf8.count) else {
            throw .size(RefusedInput(field: field, size: part.utf8.count, allowed: allowed))
        }
        if let control = part.unicodeScalars.first(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) {
            throw .controlCharacter(field: field, control)
        }
    }

    /// The three parts, as `tenant/operation/key`.
    public var description: String { "\(tenant)/\(operation)/\(key)" }

    /// Whether all three parts are equal byte by byte.
    public static func == (lhs: IdempotencyKey, rhs: IdempotencyKey) -> Bool { lhs.recordID == rhs.recordID }

    /// Feeds the parts with their lengths into the hasher.
    public func hash(into hasher: inout Hasher) { hasher.combine(recordID) }
}

/// A part of an idempotency key that is not taken; nothing was stored and nothing ran.
public enum IdempotencyKeyRefused: Permanent, Hashable, CustomStringConvertible {
    /// The part is empty or longer than 255 bytes of UTF-8.
    case size(RefusedInput)
    /// The request has no key, and the operation requires one.
    case missing
    /// The part contains a control character.
    case controlCharacter(field: String, Unicode.Scalar)

    /// The part and what is wrong with it.
    public var description: String {
        switch self {
        case .size(let input): "\(input)"
        case .missing: "the request has no idempotency key"
        case .controlCharacter(let field, let scalar):
            "\(field) contains the control character U+\(String(scalar.value, radix: 16, uppercase: true))"
        }
    }
}
