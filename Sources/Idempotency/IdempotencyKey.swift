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

    /// The record in which a store keeps the key: `length:part` for each of the three, at most 777 bytes.
    public let recordID: RecordID
    // The parts are read out of the record's name, so that a key is copied and compared as one string.
    private let tenantCount: UInt8
    private let operationCount: UInt8
    private let keyCount: UInt8

    /// A key of those parts, each of 1 to 255 bytes of UTF-8 without control characters.
    ///
    /// What is too long is refused, never cut: cutting would make two keys one.
    ///
    /// - Throws: ``IdempotencyKeyRefused`` naming the part that is not taken.
    public init(tenant: String, operation: String, key: String) throws(IdempotencyKeyRefused) {
        tenantCount = try Self.check("tenant", tenant)
        operationCount = try Self.check("operation", operation)
        keyCount = try Self.check("key", key)
        let count = Int(tenantCount) + Int(operationCount) + Int(keyCount)
        // Up to three digits and a colon before each.
        let name = unsafe String(unsafeUninitializedCapacity: count + 12) { bytes in
            var end = 0
            for part in [tenant, operation, key] {
                unsafe bytes.append(decimal: part.utf8.count, at: &end)
                unsafe bytes.append(part, at: &end)
            }
            return end
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

    /// Who asks: the authenticated account, never something that the request is free to choose.
    public var tenant: String { String(Substring(part(0))) }
    /// The operation's name.
    public var operation: String { String(Substring(part(1))) }
    /// The key that the client sent, or one derived from the request.
    public var key: String { String(Substring(part(2))) }

    /// Whether it is a key of the operation of that name.
    func isOf(_ name: String) -> Bool { part(1).elementsEqual(name.utf8) }

    private func part(_ index: Int) -> Substring.UTF8View {
        let name = recordID.key.utf8
        var start = name.startIndex
        for (number, count) in [tenantCount, operationCount, keyCount].enumerated() {
            let digits = count < 10 ? 1 : count < 100 ? 2 : 3
            start = name.index(start, offsetBy: digits + 1)
            let end = name.index(start, offsetBy: Int(count))
            if number == index { return Substring(recordID.key[start..<end]).utf8 }
            start = end
        }
        preconditionFailure("A key has three parts")
    }

    private static func part(of rest: inout Substring.UTF8View) -> String? {
        guard let colon = rest.firstIndex(of: UInt8(ascii: ":")), let count = Int(Substring(rest[..<colon])),
            allowed.contains(count), let end = rest.index(colon, offsetBy: count + 1, limitedBy: rest.endIndex)
        else { return nil }
        defer { rest = rest[end...] }
        return String(Substring(rest[rest.index(after: colon)..<end]))
    }

    /// The bytes of a part that is taken.
    @discardableResult
    static func check(_ field: String, _ part: String) throws(IdempotencyKeyRefused) -> UInt8 {
        guard let count = UInt8(exactly: part.utf8.count), count > 0 else {
            throw .size(RefusedInput(field: field, size: part.utf8.count, allowed: allowed))
        }
        // In UTF-8 the controls below U+0020 and U+007F are bytes of their own, and those from U+0080 follow a C2.
        let mayBeControl = unsafe part.utf8.withContiguousStorageIfAvailable { bytes in
            var found = false
            for index in bytes.indices {
                let byte = unsafe bytes[index]
                found = found || byte < 0x20 || byte == 0x7F || byte == 0xC2
            }
            return found
        }
        if mayBeControl == false { return count }
        if let control = part.unicodeScalars.first(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) {
            throw .controlCharacter(field: field, control)
        }
        return count
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

extension UnsafeMutableBufferPointer<UInt8> {
    /// Writes a number of at most three digits and a colon.
    fileprivate func append(decimal number: Int, at end: inout Int) {
        for power in [100, 10, 1] where number >= power {
            unsafe self[end] = UInt8(ascii: "0") + UInt8(number / power % 10)
            end += 1
        }
        unsafe self[end] = UInt8(ascii: ":")
        end += 1
    }

    fileprivate func append(_ text: String, at end: inout Int) {
        var text = text
        text.withUTF8 { source in
            for index in source.indices { unsafe self[end + index] = source[index] }
            end += source.count
        }
    }
}
