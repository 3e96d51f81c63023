// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The name of a record: a key within a collection.
///
/// Two identifiers are equal when their UTF-8 bytes are, as every database compares them; Swift's `String` would also
/// take a precomposed and a decomposed letter for the same.
public struct RecordID: Hashable, Sendable, CustomStringConvertible {
    /// The collection: 1 to 64 bytes of UTF-8, usually chosen by a module and never by a request.
    public let collection: String
    /// The key: 1 to 1,024 bytes of UTF-8.
    public let key: String

    /// Names a record. Limits are checked by the store, which refuses what exceeds them.
    public init(_ collection: String, _ key: String) {
        self.collection = collection
        self.key = key
    }

    /// The collection and the key, as `collection/key`.
    public var description: String { "\(collection)/\(key)" }

    /// Whether both parts are equal byte by byte.
    public static func == (lhs: RecordID, rhs: RecordID) -> Bool {
        lhs.key.hasBytes(of: rhs.key) && lhs.collection.hasBytes(of: rhs.collection)
    }

    /// Feeds both parts, each with its length, into the hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(utf8: collection)
        hasher.combine(utf8: key)
    }
}
