// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// A request that has come as a whole.
struct HTTPRequest: Equatable, Sendable {
    var method: String
    /// The path, as the client sent it.
    var path: String
    /// What follows the question mark; `nil` if there is none.
    var query: String?
    var fields: [HTTPFieldLine] = []
    var body: [UInt8] = []
    /// Whether the client wants to send another request on the same connection.
    var keepsAlive = true

    /// The values of all lines of a field, in their order.
    func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}

/// A request that is not taken; nothing that follows it on its connection can be understood.
enum HTTPRefusal: Int, Error, CaseIterable {
    case malformed = 400
    case tooSlow = 408
    case lengthRequired = 411
    case bodyTooLarge = 413
    case expectationFailed = 417
    case fieldsTooLarge = 431
    case versionNotSupported = 505

    var response: HTTPResponseRecord {
        let detail =
            switch self {
            case .malformed: "The request is not one of HTTP/1.1."
            case .tooSlow: "The request did not come as a whole in time."
            case .lengthRequired: "The request needs the field Content-Length; transfer codings are not taken."
            case .bodyTooLarge: "The body has more than \(RequestParser.bodyLimit) bytes."
            case .expectationFailed: "Expectations are not supported; send the request without."
            case .fieldsTooLarge:
                "The request has more than \(RequestParser.fieldLimit) fields, or \(RequestParser.headLimit) bytes of them."
            case .versionNotSupported: "The version of HTTP is none of 1.0 and 1.1."
            }
        return .problem(rawValue, detail)
    }
}
