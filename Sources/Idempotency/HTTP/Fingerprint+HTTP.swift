// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Fingerprint {
    /// The fingerprint of an HTTP request: method, path, query, chosen fields and body.
    ///
    /// Give the body as the client sent it, or a canonical form of it if clients may write the same content differently
    /// when they try again. Choose few header fields, those that change what is asked for, such as `Content-Type` and an
    /// API version; lines of the same name are joined by commas, and the case of names does not matter.
    ///
    /// - Parameters:
    ///   - method: The method, case included.
    ///   - path: The path, as the client sent it.
    ///   - query: The query; `nil` for none, which differs from an empty one.
    ///   - fields: The lines of the chosen fields.
    ///   - body: The content.
    ///   - keys: What ``init(keys:_:)`` takes; plain SHA-256 unless given.
    public init(
        method: String, path: String, query: String? = nil, fields: [HTTPFieldLine] = [], body: [UInt8],
        keys: [FingerprintKey] = [.unkeyed]
    ) {
        let joined = Dictionary(fields.map { ($0.name.lowercased(), $0.value) }) { "\($0), \($1)" }
        self.init(keys: keys) {
            $0.field("method", method)
            $0.field("path", path)
            if let query { $0.field("query", query) }
            $0.field("body", body)
            for (name, value) in joined { $0.field("field \(name)", value) }
        }
    }
}
