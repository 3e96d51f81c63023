// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import Testing

@Suite struct HTTPIdempotencyPolicyTests {
    @Test func `the methods that can be repeated as they are go past the layer`() {
        var policy = HTTPIdempotencyPolicy()
        #expect(["POST", "PATCH"].allSatisfy(policy.protects))
        #expect(!["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "post", ""].contains(where: policy.protects))
        policy.methods = ["PUT"]
        #expect(policy.protects(method: "PUT") && !policy.protects(method: "POST"))
    }

    @Test func `a key is required unless the policy says otherwise, and never taken malformed`() throws {
        var policy = HTTPIdempotencyPolicy()
        #expect(try policy.key(in: ["\"a\""]) == "a")
        #expect(throws: IdempotencyKeyFieldRefused.missing) { try policy.key(in: []) }
        policy.isKeyRequired = false
        #expect(try policy.key(in: []) == nil)
        #expect(throws: IdempotencyKeyFieldRefused.notAString) { try policy.key(in: ["a"]) }
        policy.keySyntax = .stringOrBare
        #expect(try policy.key(in: ["a"]) == "a")
    }

    @Test func `each status says what becomes of the key`() {
        var policy = HTTPIdempotencyPolicy()
        for status in 100...999 {
            let expected: HTTPResponseDisposition =
                switch status {
                case 401, 408, 409, 421, 423, 425, 429: .release
                case 200...499: .store
                default: .leaveUnknown
                }
            #expect(policy.disposition(status) == expected, "\(status)")
            #expect(policy.storesResponse(status: status) == (expected == .store), "\(status)")
        }
        policy.disposition = { $0 == 500 ? .store : .release }
        #expect(policy.storesResponse(status: 500) && !policy.storesResponse(status: 200))
    }

    @Test func `a replay is marked once`() {
        var policy = HTTPIdempotencyPolicy()
        let response = HTTPResponseRecord(status: 200, fields: [HTTPFieldLine("idempotent-replayed", "false")])
        #expect(policy.replay(of: response).fields == [HTTPFieldLine("Idempotent-Replayed", "true")])
        policy.replayField = "X-Replay"
        #expect(policy.replay(of: response).fields.map(\.name) == ["idempotent-replayed", "X-Replay"])
        policy.replayField = nil
        #expect(policy.replay(of: response) == response)
    }

    @Test func `every error has its problem, and what is not one of ours has none`() throws {
        let key = try IdempotencyKey(tenant: "t", operation: "o", key: "secret")
        let size = RefusedInput(field: "key", size: 0, allowed: 1...255)
        let execution = IdempotencyExecution(
            key: key, fence: Fence(rawValue: 1), attempt: 1, fingerprint: Fingerprint.none.stored,
            leaseUntil: Timestamp(nanosecondsSince1970: 0))
        let unknown = UnknownExecution(execution, .failed)
        let rows: [(any Error, Int, HTTPIdempotencyProblem.Code)] = [
            (IdempotencyKeyFieldRefused.missing, 400, .keyMissing),
            (IdempotencyKeyFieldRefused.repeated(lines: 2), 400, .keyRefused),
            (IdempotencyKeyRefused.size(size), 400, .keyRefused),
            (IdempotencyKeyRefused.controlCharacter(field: "key", "\0"), 400, .keyRefused),
            (IdempotencyMismatch(key: key, isIncomparable: false), 422, .mismatch),
            (IdempotencyInFlight(key: key, retryAfter: .seconds(3)), 409, .inFlight),
            (IdempotencyOutcomeUnknown(execution: unknown, cause: nil), 409, .outcomeUnknown),
            (IdempotencyOutputOmitted(key: key, size: 1, completedAt: execution.leaseUntil), 409, .responseOmitted),
            (IdempotencyKeyRefused.missing, 400, .keyMissing),
            (IdempotencyRecordUnreadable(key: key, cause: MalformedBytes(offset: 0)), 500, .unreadable),
            (StoreError.closed, 503, .storeUnavailable),
            (StoreError.outcomeUnknown(StoreFailure(operation: "x", subject: "y", code: 0)), 503, .storeUnavailable),
        ]
        var custom = HTTPIdempotencyPolicy()
        custom.problemTypes = "https://example.com/idempotency#"
        custom.statuses.keyRefused = 460
        custom.statuses.mismatch = 461
        custom.statuses.inFlight = 462
        custom.statuses.outcomeUnknown = 463
        custom.statuses.unreadable = 564
        custom.statuses.storeUnavailable = 565
        let customStatuses: [HTTPIdempotencyProblem.Code: Int] = [
            .keyMissing: 460, .keyRefused: 460, .mismatch: 461, .inFlight: 462, .outcomeUnknown: 463, .unreadable: 564,
            .storeUnavailable: 565, .responseOmitted: 463,
        ]
        for (error, status, code) in rows {
            let problem = try #require(HTTPIdempotencyPolicy().problem(for: error))
            #expect(problem.status == status && problem.code == code, "\(error)")
            #expect(problem.type == "about:blank")
            #expect(!problem.json.contains("secret"))
            let own = try #require(custom.problem(for: error))
            #expect(own.status == customStatuses[code])
            #expect(own.type == "https://example.com/idempotency#\(code.rawValue)")
        }
        #expect(Set(rows.map(\.2)) == Set(HTTPIdempotencyProblem.Code.allCases))
        let others: [any Error] = [
            CancellationError(), Unexpected(), IdempotencyLeaseLost(key: key, result: .success(1)),
            IdempotencyUnsettled(key: key, value: 1, cause: Unexpected()),
            IdempotencyKeyRefused.size(RefusedInput(field: "tenant", size: 0, allowed: 1...255)),
            IdempotencyKeyRefused.controlCharacter(field: "operation", "\0"),
        ]
        for error in others { #expect(HTTPIdempotencyPolicy().problem(for: error) == nil) }
    }

    @Test(
        arguments: [
            (.zero, 1), (.nanoseconds(1), 1), (.milliseconds(999), 1), (.seconds(1), 1),
            (.nanoseconds(1_000_000_001), 2),
            (.seconds(60), 60), (.seconds(59.5), 60), (.seconds(-5), 1), (.seconds(Int64.max), 9_223_372_037),
        ] as [(Duration, Int64)])
    func `the wait is told in whole seconds, rounded up`(wait: Duration, seconds: Int64) throws {
        let key = try IdempotencyKey(tenant: "t", operation: "o", key: "k")
        let problem = HTTPIdempotencyPolicy().problem(for: IdempotencyInFlight(key: key, retryAfter: wait))
        #expect(problem?.retryAfter == seconds)
        #expect(problem?.response.fields.last == HTTPFieldLine("Retry-After", "\(seconds)"))
        let silent = HTTPIdempotencyPolicy().problem(for: IdempotencyInFlight(key: key, retryAfter: nil))
        #expect(silent?.response.fields.map(\.name) == ["Content-Type", "Cache-Control"])
    }

    @Test func `a problem is a response of problem details`() throws {
        var policy = HTTPIdempotencyPolicy()
        let plain = try #require(policy.problem(for: IdempotencyKeyFieldRefused.missing)).response
        #expect(plain.status == 400)
        #expect(plain.fields.first == HTTPFieldLine("Content-Type", "application/problem+json"))
        #expect(
            String(decoding: plain.body, as: UTF8.self) == """
                {"type":"about:blank","title":"Bad Request","detail":"This operation needs the field Idempotency-Key. \
                Nothing was done; send the request again with a key.","code":"idempotency-key-missing","status":400}
                """)
        policy.problemTypes = "https://example.com/\"#"
        let refused = try #require(policy.problem(for: IdempotencyKeyFieldRefused.character(0xC3, at: 1)))
        #expect(
            refused.json == #"""
                {"type":"https://example.com/\"#idempotency-key-refused","title":"Idempotency-Key is not valid",\#
                "detail":"The field Idempotency-Key must have one value of 1 to 255 characters of ASCII. Nothing was \#
                done. In this request, the byte 0xc3 at byte 1 is not allowed.","code":"idempotency-key-refused",\#
                "status":400}
                """#)
        policy.statuses.keyRefused = 499
        policy.problemTypes = nil
        #expect(policy.problem(for: IdempotencyKeyFieldRefused.missing)?.title == "Idempotency-Key is missing")
    }

    @Test(arguments: [
        ("", #""""#), ("a", #""a""#), (#"""#, #""\"""#), (#"\"#, #""\\""#), ("/", #""/""#),
        ("\n\r\t", #""\n\r\t""#), ("\0\u{1}\u{8}\u{B}\u{1F} ", #""\u0000\u0001\u0008\u000b\u001f ""#),
        ("é\u{7F}\u{2028}😀", "\"é\u{7F}\u{2028}😀\""), ("\r\n", #""\r\n""#), ("e\u{301}", "\"e\u{301}\""),
    ])
    func `a text becomes a string of JSON`(text: String, json: String) {
        #expect(Array(text.quotedJSON.utf8) == Array(json.utf8))
    }
}
