// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The sizes that every store of this package takes; what exceeds them is refused as a whole.
public enum RecordLimits {
    /// Bytes of a collection's name.
    public static let collection = 1...64
    /// Bytes of a key.
    public static let key = 1...1_024
    /// Bytes of a state label, all of them printable ASCII.
    public static let state = 1...32
    /// Bytes of an order key.
    public static let orderKey = 1...255
    /// Bytes of a body.
    public static let body = 0...1_048_576
    /// Bytes of all header names and values together.
    public static let headers = 0...16_384
    /// Bytes of all bodies and headers of one commit.
    public static let batch = 0...16_777_216
    /// Bytes of the name of a holder's host.
    public static let host = 0...64
    /// Changes of one commit.
    public static let changes = 1...1_000
    /// Identifiers of one read or claim, records of one page or claim.
    public static let page = 1...1_000

    package static func check(_ field: String, _ size: Int, _ allowed: ClosedRange<Int>) throws(StoreError) {
        guard allowed.contains(size) else {
            throw .refused(RefusedInput(field: field, size: size, allowed: allowed))
        }
    }

    package static func check(_ id: RecordID) throws(StoreError) {
        try check("collection", id.collection.utf8.count, collection)
        try check("key", id.key.utf8.count, key)
    }

    package static func check(_ holder: Holder) throws(StoreError) {
        try check("host of the holder", holder.process.host.utf8.count, host)
    }

    /// Each record is named once in an operation.
    package static func checkDistinct(_ field: String, _ ids: [RecordID]) throws(StoreError) {
        guard ids.count > 1 else { return }
        try check(field, ids.count - Set(ids).count + 1, 1...1)
    }

    /// Returns how many bytes the content counts for in a batch.
    @discardableResult
    package static func check(_ content: RecordContent) throws(StoreError) -> Int {
        try check("state", content.state.utf8.count, state)
        if let byte = content.state.firstByte(outside: 0x20...0x7E) {
            throw .refused(RefusedInput(field: "byte of state", size: Int(byte), allowed: 0x20...0x7E))
        }
        if let orderKey = content.orderKey { try check("order key", orderKey.utf8.count, Self.orderKey) }
        try check("body", content.body.count, body)
        let headers = size(of: content.headers)
        try check("headers", headers, Self.headers)
        return content.body.count + headers
    }

    package static func size(of headers: [String: String]) -> Int {
        headers.isEmpty ? 0 : headers.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    }
}
