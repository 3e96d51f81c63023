// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What is answered in place of the handler, as problem details for HTTP APIs (RFC 9457).
public struct HTTPIdempotencyProblem: Hashable, Sendable {
    /// What the problem is, in a form for programs: the end of the type, and the member `code`.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The field `Idempotency-Key` is missing.
        case keyMissing = "idempotency-key-missing"
        /// The field `Idempotency-Key` is not one key.
        case keyRefused = "idempotency-key-refused"
        /// The key was used for another request.
        case mismatch = "idempotency-key-reused"
        /// The first request with the key still runs.
        case inFlight = "idempotency-in-flight"
        /// Nobody knows what came of the first request with the key.
        case outcomeUnknown = "idempotency-outcome-unknown"
        /// What is stored under the key cannot be read.
        case unreadable = "idempotency-record-unreadable"
        /// The first request was carried out, and its response was too large to be kept.
        case responseOmitted = "idempotency-response-omitted"
        /// The store does not work.
        case storeUnavailable = "idempotency-store-unavailable"
    }

    /// What the problem is.
    public let code: Code
    /// The status code.
    public let status: Int
    /// The URI of the type.
    public let type: String
    /// The same short text for every problem of the type.
    public let title: String
    /// What happened, and what the client is to do.
    public let detail: String
    /// The whole seconds after which the same request may be sent again.
    public let retryAfter: Int64?

    /// The members as JSON, an `application/problem+json`.
    public var json: String {
        let members = [("type", type), ("title", title), ("detail", detail), ("code", code.rawValue)]
        let texts = members.map { "\"\($0)\":\($1.quotedJSON)" }
        return "{\(texts.joined(separator: ",")),\"status\":\(status)}"
    }

    /// The problem as a response, which no cache keeps.
    public var response: HTTPResponseRecord {
        var fields = [
            HTTPFieldLine("Content-Type", "application/problem+json"), HTTPFieldLine("Cache-Control", "no-store"),
        ]
        if let retryAfter { fields.append(HTTPFieldLine("Retry-After", String(retryAfter))) }
        return HTTPResponseRecord(status: status, fields: fields, body: Array(json.utf8))
    }
}

extension HTTPIdempotencyPolicy {
    /// The problem to answer an error of ``IdempotentOperation`` with; `nil` if it is not one that HTTP has an answer to.
    ///
    /// | Error | Status | `Retry-After` |
    /// |---|---|---|
    /// | ``IdempotencyKeyFieldRefused``, ``IdempotencyKeyRefused`` of the key | 400 | – |
    /// | ``IdempotencyMismatch`` | 422 | – |
    /// | ``IdempotencyInFlight`` | 409 | the rest of the lease in whole seconds, rounded up, at least 1 |
    /// | ``IdempotencyOutcomeUnknown`` | 409 | – |
    /// | ``IdempotencyOutputOmitted`` | 409 | – |
    /// | ``IdempotencyRecordUnreadable`` | 500 | – |
    /// | `StoreError` | 503 | – |
    ///
    /// The statuses are those of ``statuses``. ``IdempotencyLeaseLost`` and ``IdempotencyUnsettled`` are not among them:
    /// they carry the handler's value, which is the answer. Nor does the problem show keys, causes or the store's errors.
    /// A `StoreError` of the handler's own is not for this function, since it says nothing of this layer's store.
    public func problem(for error: any Error) -> HTTPIdempotencyProblem? {
        switch error {
        case IdempotencyKeyFieldRefused.missing, IdempotencyKeyRefused.missing: problem(.keyMissing)
        case let error as IdempotencyKeyFieldRefused: problem(.keyRefused, "\(error).")
        case let error as IdempotencyKeyRefused where error.isOfKey: problem(.keyRefused, "\(error).")
        case is IdempotencyMismatch: problem(.mismatch)
        case let error as IdempotencyInFlight: problem(.inFlight, retryAfter: error.retryAfter)
        case is IdempotencyOutcomeUnknown: problem(.outcomeUnknown)
        case is IdempotencyOutputOmitted: problem(.responseOmitted)
        case is IdempotencyRecordUnreadable: problem(.unreadable)
        case is StoreError: problem(.storeUnavailable)
        default: nil
        }
    }

    /// The problem of an outcome that nobody knows.
    var problemOfUnknown: HTTPIdempotencyProblem { problem(.outcomeUnknown) }

    private func problem(
        _ code: HTTPIdempotencyProblem.Code, _ specifics: String? = nil, retryAfter: Duration? = nil
    ) -> HTTPIdempotencyProblem {
        let status = statuses.status(of: code)
        return HTTPIdempotencyProblem(
            code: code, status: status, type: problemTypes.map { $0 + code.rawValue } ?? "about:blank",
            title: problemTypes == nil ? Self.phrases[status] ?? code.title : code.title,
            detail: specifics.map { "\(code.detail) In this request, \($0)" } ?? code.detail,
            retryAfter: retryAfter.map { max(1, $0.secondsRoundedUp) })
    }

    /// A problem of the type `about:blank` has the status's phrase for its title (RFC 9457, section 4.2.1).
    private static let phrases = [
        400: "Bad Request", 409: "Conflict", 417: "Expectation Failed", 422: "Unprocessable Content", 423: "Locked",
        425: "Too Early", 428: "Precondition Required", 500: "Internal Server Error", 502: "Bad Gateway",
        503: "Service Unavailable", 504: "Gateway Timeout",
    ]
}

extension IdempotencyKeyRefused {
    /// Whether the client's part is refused, and not the tenant or the operation, which are the server's.
    fileprivate var isOfKey: Bool {
        switch self {
        case .size(let input): input.field == "key"
        case .missing: true
        case .controlCharacter(let field, _): field == "key"
        }
    }
}

extension HTTPIdempotencyPolicy.Statuses {
    fileprivate func status(of code: HTTPIdempotencyProblem.Code) -> Int {
        switch code {
        case .keyMissing, .keyRefused: keyRefused
        case .mismatch: mismatch
        case .inFlight: inFlight
        case .outcomeUnknown, .responseOmitted: outcomeUnknown
        case .unreadable: unreadable
        case .storeUnavailable: storeUnavailable
        }
    }
}

extension HTTPIdempotencyProblem.Code {
    fileprivate var title: String {
        switch self {
        case .keyMissing: "Idempotency-Key is missing"
        case .keyRefused: "Idempotency-Key is not valid"
        case .mismatch: "Idempotency-Key was used for another request"
        case .inFlight: "The first request with this Idempotency-Key is being processed"
        case .outcomeUnknown: "The outcome of the first request with this Idempotency-Key is unknown"
        case .responseOmitted: "The response to the first request with this Idempotency-Key was not kept"
        case .unreadable: "The outcome stored for this Idempotency-Key cannot be read"
        case .storeUnavailable: "Requests with an Idempotency-Key cannot be processed now"
        }
    }

    fileprivate var detail: String {
        switch self {
        case .keyMissing:
            "This operation needs the field Idempotency-Key. Nothing was done; send the request again with a key."
        case .keyRefused:
            "The field Idempotency-Key must have one value of 1 to 255 characters of ASCII. Nothing was done."
        case .mismatch:
            "A request with this key and other content was received before. This one was not processed; send it with a "
                + "key of its own."
        case .inFlight:
            "This request was not processed again. Send the same request with the same key later, to get the outcome."
        case .outcomeUnknown:
            "The first request may have taken effect, and is being looked into. Do not send this request with another "
                + "key: it could be carried out twice. The same request with the same key gets the outcome once it is "
                + "known."
        case .responseOmitted:
            "The first request was carried out, and its response was too large to be kept. Do not send this request with "
                + "another key: it would be carried out twice."
        case .unreadable:
            "The first request may have taken effect. Do not send this request with another key: it could be carried "
                + "out twice."
        case .storeUnavailable:
            "This request was not processed. Send the same request with the same key later."
        }
    }
}

extension Duration {
    fileprivate var secondsRoundedUp: Int64 {
        let (seconds, rest) = nanosecondsRoundedUp.quotientAndRemainder(dividingBy: 1_000_000_000)
        return rest > 0 ? seconds + 1 : seconds
    }
}

extension String {
    /// The text as a JSON string (RFC 8259, section 7).
    var quotedJSON: String {
        var json = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": json += "\\\""
            case "\\": json += "\\\\"
            case "\n": json += "\\n"
            case "\r": json += "\\r"
            case "\t": json += "\\t"
            case "\0"..<" ": json += "\\u00" + [UInt8(scalar.value)].hexadecimal
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }
}
