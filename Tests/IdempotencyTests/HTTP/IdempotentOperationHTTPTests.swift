// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

/// An endpoint that charges, as a server calls it.
private struct Endpoint {
    let clock = ManualClock()
    let store: ScriptedStore
    private let directory: TemporaryDirectory
    let events = Log<IdempotencyEvent>()
    let runs = Log<IdempotencyContext>()
    var policy = HTTPIdempotencyPolicy()

    init(_ kind: StoreKind) throws {
        directory = try TemporaryDirectory()
        store = ScriptedStore(try kind.make(clock, directory))
    }

    func operation(
        _ name: String = "charge", _ ifUnknown: UnknownPolicy<HTTPResponseRecord> = .park
    ) -> IdempotentOperation<HTTPResponseRecord> {
        IdempotentOperation(
            name, store: store, codec: .httpResponse, lease: .seconds(60), retention: .seconds(30 * 86_400),
            ifUnknown: ifUnknown, clock: StillClock.shared, onEvent: { [events] in events.append($0) })
    }

    /// Sends a request, whose handler answers with that status and the number of the run.
    func send(
        _ operation: IdempotentOperation<HTTPResponseRecord>? = nil, key: String? = "\"k\"", tenant: String = "acme",
        body: String = "100", status: Int = 201,
        during: @escaping () async throws -> Void = {}
    ) async throws -> HTTPResponseRecord {
        try await (operation ?? self.operation()).respond(
            keyLines: key.map { [$0] } ?? [], tenant: tenant,
            fingerprint: Fingerprint(method: "POST", path: "/charges", body: Array(body.utf8)), policy: policy
        ) { context in
            runs.append(context)
            try await during()
            return answer(status, runs.all.count)
        }
    }

    func answer(_ status: Int, _ run: Int) -> HTTPResponseRecord {
        let fields = [HTTPFieldLine("Location", "/charges/\(run)"), HTTPFieldLine("Date", "now")]
        return HTTPResponseRecord(status: status, fields: fields, body: Array("run \(run)".utf8))
    }

    func replay(_ status: Int, _ run: Int) -> HTTPResponseRecord {
        policy.replay(of: answer(status, run).removingFields())
    }

    func record(_ key: String = "k") async throws -> Record? {
        let id = try IdempotencyKey(tenant: "acme", operation: "charge", key: key).recordID
        return try #require(try await store.read([id]).records.first)
    }
}

@Suite struct IdempotentOperationHTTPTests {
    @Test(arguments: StoreKind.all)
    func `a retried request gets the first response, marked, and its handler does not run`(
        kind: StoreKind
    ) async throws {
        let endpoint = try Endpoint(kind)
        #expect(try await endpoint.send() == endpoint.answer(201, 1))
        endpoint.clock.advance(by: .seconds(29 * 86_400))
        let replay = try await endpoint.send()
        #expect(replay == endpoint.replay(201, 1))
        #expect(
            replay.fields == [HTTPFieldLine("Location", "/charges/1"), HTTPFieldLine("Idempotent-Replayed", "true")])
        #expect(endpoint.runs.all.count == 1)
    }

    @Test(arguments: StoreKind.all)
    func `a request without the key that it needs is refused, and one that needs none runs unprotected`(
        kind: StoreKind
    ) async throws {
        var endpoint = try Endpoint(kind)
        let refused = try await endpoint.send(key: nil)
        #expect(refused.status == 400 && endpoint.runs.all.isEmpty)
        endpoint.policy.isKeyRequired = false
        for run in 1...2 {
            #expect(try await endpoint.send(key: nil) == endpoint.answer(201, run))
        }
        #expect(endpoint.runs.all.allSatisfy { !$0.isProtected })
        #expect(endpoint.events.all.map(\.outcome) == [.unprotected, .unprotected])
        #expect(try await endpoint.send(key: "bare").status == 400)
    }

    @Test(arguments: StoreKind.all)
    func `a key of 255 bytes is taken, and one of 256 is refused and not cut`(kind: StoreKind) async throws {
        let endpoint = try Endpoint(kind)
        let longest = String(repeating: "k", count: 255)
        #expect(try await endpoint.send(key: "\"\(longest)\"").status == 201)
        #expect(try await endpoint.send(key: "\"\(longest)k\"").status == 400)
        #expect(endpoint.runs.all.count == 1)
    }

    @Test(arguments: StoreKind.all)
    func `another request under the same key is refused, while the first runs and afterwards`(
        kind: StoreKind
    ) async throws {
        var endpoint = try Endpoint(kind)
        var during: HTTPResponseRecord?
        _ = try await endpoint.send { during = try await endpoint.send(body: "200") }
        #expect(during?.status == 422)
        #expect(try await endpoint.send(body: "200").status == 422)
        endpoint.policy.statuses.mismatch = 409
        #expect(try await endpoint.send(body: "200").status == 409)
        #expect(endpoint.runs.all.count == 1)
    }

    @Test(arguments: StoreKind.all)
    func `a duplicate while the first runs is told how long to wait`(kind: StoreKind) async throws {
        let endpoint = try Endpoint(kind)
        _ = try await endpoint.send {
            endpoint.clock.advance(by: .milliseconds(20_500))
            let duplicate = try await endpoint.send()
            #expect(duplicate.status == 409)
            #expect(duplicate.fields.contains(HTTPFieldLine("Retry-After", "40")))
        }
        #expect(endpoint.runs.all.count == 1)
    }

    @Test(arguments: StoreKind.all)
    func `tenants and operations do not meet`(kind: StoreKind) async throws {
        let endpoint = try Endpoint(kind)
        #expect(try await endpoint.send() == endpoint.answer(201, 1))
        #expect(try await endpoint.send(tenant: "other") == endpoint.answer(201, 2))
        #expect(try await endpoint.send(endpoint.operation("refund")) == endpoint.answer(201, 3))
    }

    @Test(arguments: StoreKind.all, [200, 204, 303, 400, 402, 403, 404, 422])
    func `a definite answer is replayed`(kind: StoreKind, status: Int) async throws {
        let endpoint = try Endpoint(kind)
        #expect(try await endpoint.send(status: status) == endpoint.answer(status, 1))
        #expect(try await endpoint.send(status: 500) == endpoint.replay(status, 1))
    }

    @Test(arguments: StoreKind.all, [401, 408, 409, 425, 429])
    func `after a refusal for now, the next request runs`(kind: StoreKind, status: Int) async throws {
        let endpoint = try Endpoint(kind)
        #expect(try await endpoint.send(status: status) == endpoint.answer(status, 1))
        #expect(try await endpoint.record() == nil)
        // Not even the fingerprint is kept.
        #expect(try await endpoint.send(body: "200") == endpoint.answer(201, 2))
    }

    @Test(arguments: StoreKind.all, [500, 502, 503, 504])
    func `after a failure the outcome is unknown`(kind: StoreKind, status: Int) async throws {
        var endpoint = try Endpoint(kind)
        #expect(try await endpoint.send(status: status) == endpoint.answer(status, 1))
        let unknown = try await endpoint.send()
        #expect(unknown.status == 409)
        #expect(!unknown.fields.contains { $0.name == "Retry-After" })
        #expect(String(decoding: unknown.body, as: UTF8.self).contains("idempotency-outcome-unknown"))
        #expect(endpoint.runs.all.count == 1)
        let reexecuting = endpoint.operation("charge", .reexecute)
        #expect(try await endpoint.send(reexecuting) == endpoint.answer(201, 2))
        // Where the policy stores failures, they are replayed.
        endpoint.policy.disposition = { _ in .store }
        #expect(try await endpoint.send(key: "\"other\"", status: status) == endpoint.answer(status, 3))
        #expect(try await endpoint.send(key: "\"other\"") == endpoint.replay(status, 3))
    }

    @Test(arguments: StoreKind.all)
    func `an error of the handler comes out unchanged, also if it is one that the layer knows`(
        kind: StoreKind
    ) async throws {
        let endpoint = try Endpoint(kind)
        await #expect(throws: StoreError.closed) { try await endpoint.send { throw StoreError.closed } }
        await #expect(throws: IdempotencyKeyFieldRefused.missing) {
            try await endpoint.send(key: "\"b\"") { throw IdempotencyKeyFieldRefused.missing }
        }
        #expect(endpoint.runs.all.count == 2)
        var optional = try Endpoint(kind)
        optional.policy.isKeyRequired = false
        await #expect(throws: StoreError.closed) { try await optional.send(key: nil) { throw StoreError.closed } }
    }

    @Test(arguments: StoreKind.all)
    func `a response that took effect is given even if it was not stored`(kind: StoreKind) async throws {
        let endpoint = try Endpoint(kind)
        let operation = endpoint.operation()
        let large = HTTPResponseRecord(status: 200, body: [UInt8](repeating: 1, count: 2 << 20))
        let fingerprint = Fingerprint { _ in }
        let first = try await operation.respond(keyLines: ["\"k\""], tenant: "acme", fingerprint: fingerprint) { _ in
            large
        }
        #expect(first == large)
        #expect(endpoint.events.all.map(\.outcome) == [.new, .outputOmitted, .completed])
        let again = try await operation.respond(keyLines: ["\"k\""], tenant: "acme", fingerprint: fingerprint) { _ in
            HTTPResponseRecord(status: 200)
        }
        #expect(again.status == 409)
        // Another execution claims the key while this one still runs.
        let late = try await endpoint.send(key: "\"l\"") {
            endpoint.clock.advance(by: .seconds(61))
            let second = try await endpoint.send(endpoint.operation("charge", .reexecute), key: "\"l\"")
            #expect(second == endpoint.answer(201, 2))
        }
        #expect(late == endpoint.answer(201, 2))
        #expect(endpoint.events.all.contains { $0.outcome == .leaseLost })
    }

    /// The response tells of an order that was not written.
    @Test(arguments: StoreKind.all)
    func `a response is not given if the changes with it are not in`(kind: StoreKind) async throws {
        let endpoint = try Endpoint(kind)
        let response = try await endpoint.operation().respond(
            keyLines: ["\"k\""], tenant: "acme", fingerprint: .none
        ) { context in
            try context.alsoCommit([.assert(RecordID("orders", "1"), Fence(rawValue: 1))])
            return HTTPResponseRecord(status: 201)
        }
        #expect(response.status == 409)
    }

    /// A handler that turns the request away after it has prepared its changes.
    @Test(arguments: StoreKind.all, [429, 500])
    func `a response that is not stored is given as it is, and the changes are not in`(
        kind: StoreKind, status: Int
    ) async throws {
        let endpoint = try Endpoint(kind)
        let (order, wait) = (RecordID("orders", "1"), HTTPFieldLine("Retry-After", "7"))
        let response = try await endpoint.operation().respond(
            keyLines: ["\"k\""], tenant: "acme", fingerprint: .none
        ) { context in
            try context.alsoCommit([.insert(order, RecordContent(state: "paid"))])
            return HTTPResponseRecord(status: status, fields: [wait])
        }
        #expect(response == HTTPResponseRecord(status: status, fields: [wait]))
        #expect(try await endpoint.store.read([order]).records == [nil])
        #expect(try await endpoint.record()?.state == (status == 429 ? nil : KeyState.unknown))
    }

    /// The store fails, or another execution claims the key, between the probe's answer and its being stored.
    @Test(arguments: StoreKind.all)
    func `a response that a probe has found is given even if it was not stored`(kind: StoreKind) async throws {
        for isOvertaken in [false, true] {
            let endpoint = try Endpoint(kind)
            await #expect(throws: ProviderTimeout.self) { try await endpoint.send { throw ProviderTimeout() } }
            let found = endpoint.answer(201, 7)
            let asking = endpoint.operation("charge", .probe { _ in .applied(found) })
            endpoint.store.next(
                .commit, .pass,
                .after { _ in
                    guard isOvertaken else { throw Unexpected() }
                    endpoint.clock.advance(by: .seconds(60))
                    _ = try await endpoint.send(endpoint.operation("charge", .reexecute))
                })
            #expect(try await endpoint.send(asking) == endpoint.policy.replay(of: found))
            #expect(endpoint.runs.all.count == (isOvertaken ? 2 : 1))
        }
    }

    @Test(arguments: StoreKind.all)
    func `a store that does not work and a record that cannot be read let nothing run`(kind: StoreKind) async throws {
        let endpoint = try Endpoint(kind)
        let id = try IdempotencyKey(tenant: "acme", operation: "charge", key: "k").recordID
        _ = try await endpoint.store.commit([.insert(id, RecordContent(state: "x", body: [0xEE]))])
        #expect(try await endpoint.send().status == 500)
        try await endpoint.store.close()
        #expect(try await endpoint.send().status == 503)
        await #expect(throws: IdempotencyKeyRefused.self) { try await endpoint.send(tenant: "") }
        #expect(endpoint.runs.all.isEmpty)
    }
}
