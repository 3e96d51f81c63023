// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How idempotency shows in HTTP: which requests it protects, which responses it keeps, and what it answers instead.
///
/// ```swift
/// var policy = HTTPIdempotencyPolicy()
/// policy.keySyntax = .stringOrBare
/// policy.problemTypes = "https://developer.example.com/idempotency#"
/// ```
///
/// A plain value that knows no server; ``IdempotentOperation/respond(keyLines:tenant:fingerprint:policy:_:)`` goes by it.
/// The defaults are those of draft-ietf-httpapi-idempotency-key-header where it has any.
public struct HTTPIdempotencyPolicy: Sendable {
    /// The methods that are protected; POST and PATCH unless set, since all other standard ones can be repeated as they
    /// are. Methods are compared with their case, as RFC 9110 has it.
    public var methods: Set<String> = ["POST", "PATCH"]
    /// Whether a request without a key is refused; true unless set. If not, it runs unprotected.
    public var isKeyRequired = true
    /// How the key is written; the draft's string unless set.
    public var keySyntax = IdempotencyKeySyntax.string
    /// The name of the field that marks a replay, with the value `true`; `nil` marks none.
    public var replayField: String? = "Idempotent-Replayed"
    /// The fields that are not stored, in lower case; ``HTTPResponseRecord/unstoredFields`` unless set.
    public var unstoredFields = HTTPResponseRecord.unstoredFields
    /// The statuses of what is answered in place of the handler.
    public var statuses = Statuses()
    /// What the types of problem details start with, before ``HTTPIdempotencyProblem/Code``, such as the address of a
    /// page that explains them; `nil`, as it is unless set, for the type `about:blank`.
    public var problemTypes: String?
    /// What becomes of the key after a response with a status; ``HTTPResponseDisposition/init(status:)`` unless set.
    public var disposition: @Sendable (Int) -> HTTPResponseDisposition = { HTTPResponseDisposition(status: $0) }

    /// The defaults.
    public init() {}

    /// Whether requests of that method are protected; all others go past the layer, with or without a key.
    public func protects(method: String) -> Bool { methods.contains(method) }

    /// Whether a response with that status is stored, to be given to every later request with its key.
    public func storesResponse(status: Int) -> Bool { disposition(status) == .store }

    /// The key of a request; `nil` if it has none and may do without.
    ///
    /// - Parameter lines: The values of all lines of the `Idempotency-Key` field.
    /// - Throws: ``IdempotencyKeyFieldRefused``, to be answered with ``problem(for:)``.
    public func key(in lines: [String]) throws(IdempotencyKeyFieldRefused) -> String? {
        lines.isEmpty && !isKeyRequired ? nil : try keySyntax.parse(lines)
    }

    /// A response that is given again, with the field that says so.
    public func replay(of response: HTTPResponseRecord) -> HTTPResponseRecord {
        guard let replayField else { return response }
        return response.setting(replayField, to: "true")
    }

    /// The statuses of what is answered in place of the handler.
    public struct Statuses: Hashable, Sendable {
        /// The key is missing or malformed.
        public var keyRefused = 400
        /// The key was used for another request.
        public var mismatch = 422
        /// The first request with the key still runs.
        public var inFlight = 409
        /// Nobody knows what came of the first request with the key.
        ///
        /// 409 like ``inFlight``, and without `Retry-After`: of all codes it is the one after which a client of this
        /// field already knows to keep its key, wait and send the same request again, which is right here as well. It
        /// gets the outcome once someone has settled the key, and nothing runs until then. 400 and 422 would say that
        /// nothing happened, and 503 that nothing was tried; after either, a new key may pay twice.
        public var outcomeUnknown = 409
        /// What is stored under the key cannot be read.
        public var unreadable = 500
        /// The store does not work, and nothing ran.
        public var storeUnavailable = 503

        /// The defaults.
        public init() {}
    }
}

/// What becomes of a key after its handler's response.
public enum HTTPResponseDisposition: Hashable, Sendable {
    /// The response is the outcome: it is stored and replayed.
    case store
    /// Nothing took effect: the response is given once, and the key is free again.
    case release
    /// It may have taken effect: the response is given once, and ``UnknownPolicy`` decides about later requests.
    case leaveUnknown

    /// What the status says by itself.
    ///
    /// | Status | Becomes | Why |
    /// |---|---|---|
    /// | 2xx, 3xx | ``store`` | the operation is done |
    /// | 401, 408, 409, 421, 423, 425, 429 | ``release`` | turned away for now; the same request may pass later |
    /// | other 4xx | ``store`` | the same request will always be refused |
    /// | 5xx and all others | ``leaveUnknown`` | the handler failed somewhere, perhaps behind the effect |
    ///
    /// A handler that answers one of the second row must not have made its effect.
    public init(status: Int) {
        self =
            switch status {
            case 401, 408, 409, 421, 423, 425, 429: .release
            case 200..<500: .store
            default: .leaveUnknown
            }
    }
}
