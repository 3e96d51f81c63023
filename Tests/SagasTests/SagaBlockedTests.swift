// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

/// Sagas that a coordinator cannot drive.
@Suite struct SagaBlockedTests {
    /// Leaves a saga behind whose coordinator died in the middle of b.
    private func leave(_ bench: Bench, _ definition: SagaDefinition<Order>) async throws {
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        let dying = FailingStore(bench.store) { $0 == 3 ? .dies(applied: false) : .answers }
        _ = try? await bench.coordinator(definition, on: dying).recover()
        bench.clock.advance(by: .seconds(60))
    }

    // Case 92.
    @Test(arguments: StoreKind.all)
    func `a saga whose definition is not given is blocked, nothing is executed, and it goes on when it is`(
        kind: StoreKind
    ) async throws {
        @Sendable func renamed(_ bench: Bench, _ version: Int) -> SagaDefinition<Order> {
            bench.definition(version: version, b: step("renamed", bench.ledger))
        }
        // The next version, the same version with other steps, and another definition.
        let others: [@Sendable (Bench) -> SagaDefinition<Order>] = [
            { renamed($0, 2) }, { renamed($0, 1) }, { $0.definition("other") },
        ]
        for other in others {
            let bench = try Bench(kind)
            let definition = bench.definition()
            try await leave(bench, definition)
            let (calls, history) = (bench.ledger.calls, try await bench.coordinator(definition).history("s1"))
            let next = bench.coordinator(other(bench))
            #expect(try await next.recover().map(\.outcome) == [.blocked])
            #expect(try await next.recover() == [])
            #expect(bench.events.last == "blocked" && bench.ledger.calls == calls)
            #expect(try await next.history("s1") == history)
            let status = try #require(try await next.status("s1"))
            #expect(status.state == .blocked && status.result == nil && !status.isHeld)
            #expect(status.dueIn == .seconds(60) && status.definition == definition.shape)
            #expect(status.steps.map(\.name) == ["b"])
            #expect(try await next.list(.blocked).sagas.map(\.sagaID) == ["s1"])
            // It is looked at again after a lease, and still blocked.
            bench.clock.advance(by: .seconds(60))
            #expect(try await next.recover().map(\.outcome) == [.blocked])
            bench.clock.advance(by: .seconds(60))
            #expect(try await bench.coordinator(definition).recover().map(\.outcome) == [.ended(.completed)])
            #expect(bench.ledger.calls == ["+a1", "+b1", "+b2", "+c1"])
        }
    }

    @Test(arguments: StoreKind.all)
    func `versions go on side by side, each saga under its own`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let one = bench.definition()
        let two = bench.definition(version: 2, b: step("renamed", bench.ledger))
        try await leave(bench, one)
        let sagas = bench.coordinator(one, two)
        try await sagas.start(two, id: "s2", input: Order())
        #expect(Set(try await sagas.recover().map(\.outcome)) == [.ended(.completed)])
        #expect(bench.ledger.calls.contains("+b2") && bench.ledger.calls.contains("+renamed1"))
    }

    @Test(arguments: StoreKind.all)
    func `a message to a saga that is blocked waits for a coordinator that knows it`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        try await leave(bench, definition)
        let next = bench.coordinator(bench.definition("other"))
        #expect(try await next.recover().map(\.outcome) == [.blocked])
        try await next.abort("s1", reason: "never mind")
        #expect(try await next.recover().map(\.outcome) == [.blocked])
        bench.clock.advance(by: .seconds(60))
        #expect(try await bench.finish(on: bench.coordinator(definition))?.isCompensated == true)
        #expect(bench.ledger.calls == ["+a1", "+b1", "-b1", "-a1"])
    }

    @Test(arguments: StoreKind.all)
    func `what cannot be read is blocked and stays as it is`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let sagas = bench.coordinator(definition)
        let id = RecordID("sagas/shop", "new")
        let content = RecordContent(state: "running", body: [9], due: .after(.zero))
        _ = try await bench.store.commit([.insert(id, content)])
        #expect(try await sagas.recover().map(\.outcome) == [.blocked])
        #expect(try await bench.store.read([id]).records[0]?.body == [9])
        let unreadable = UnreadableSaga(sagaID: "new")
        #expect(try await sagas.list(.blocked).unreadable == [unreadable])
        await #expect(throws: unreadable) { try await sagas.status("new") }
        await #expect(throws: unreadable) { try await sagas.history("new") }
        await #expect(throws: unreadable) { try await sagas.saga("new").result() }
        await #expect(throws: unreadable) { try await sagas.abort("new", reason: "") }
        await #expect(throws: unreadable) { try await sagas.start(definition, id: "new", input: Order()) }
        #expect(try await sagas.statistics().counts == ["blocked": 1])
    }

    @Test(arguments: StoreKind.all)
    func `an entry of the history that cannot be read or is gone blocks its saga`(kind: StoreKind) async throws {
        for isGone in [true, false] {
            let bench = try Bench(kind)
            let definition = bench.definition()
            try await leave(bench, definition)
            let entry = RecordID("saga-log/shop", "s1/0")
            let standing = try #require(try await bench.store.read([entry]).records[0])
            let content = RecordContent(state: standing.state, body: [9])
            _ = try await bench.store.commit([
                isGone
                    ? .delete(entry, expecting: standing.fence)
                    : .replace(entry, expecting: standing.fence, with: content, lease: .keep)
            ])
            let sagas = bench.coordinator(definition)
            #expect(try await sagas.recover().map(\.outcome) == [.blocked])
            #expect(bench.ledger.calls == ["+a1", "+b1"])
            if !isGone { await #expect(throws: UnreadableSaga.self) { try await sagas.history("s1") } }
        }
    }

    @Test(arguments: StoreKind.all)
    func `a header that counts more entries than a saga can have is unreadable`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let sagas = bench.coordinator(definition)
        try await sagas.start(definition, id: "s1", input: Order())
        let record = try #require(try await bench.header())
        var header = try SagaHeader(record)
        header.entries = Int(UInt32.max)
        let content = header.content(.running, due: .after(.zero), expires: .never)
        _ = try await bench.store.commit([.replace(record.id, expecting: record.fence, with: content, lease: .end)])
        await #expect(throws: UnreadableSaga.self) { try await sagas.history("s1") }
        #expect(try await sagas.recover().map(\.outcome) == [.blocked])
        #expect(bench.ledger.calls == [])
    }

    @Test(arguments: StoreKind.all)
    func `an input of another type blocks its saga`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        try await leave(bench, bench.definition())
        let fail: SagaStep<Int, Void>.Action = { _ in Issue.record("its input is of another type") }
        let typed = SagaDefinition<Int>("checkout", version: 1) {
            SagaStep("a", ifUnknown: .park, action: fail, compensation: fail)
            SagaStep("b", ifUnknown: .park, action: fail, compensation: fail)
            SagaStep("c", ifUnknown: .park, action: fail, compensation: fail)
        }
        #expect(try await bench.coordinator(typed).recover().map(\.outcome) == [.blocked])
    }

    /// What to do with the unknown is a policy, which may change while sagas are under way.
    @Test(arguments: StoreKind.all)
    func `a saga whose step is no longer probed follows the rule of today`(kind: StoreKind) async throws {
        for wasAsked in [true, false] {
            for isStuck in [true, false] {
                for parks in [true, false] {
                    let bench = try Bench(kind)
                    let probed = step(
                        "b", bench.ledger, ifUnknown: .probe { _ in throw Declined() },
                        after: { _ in throw Declined() }
                    )
                    .retryCompensation(isStuck ? .never : .unlimited(backoff: .constant(.seconds(60))))
                    let before = bench.definition(b: probed)
                    try await bench.coordinator(before).start(before, id: "s1", input: Order())
                    // It dies while the probe is asked, or has kept that it failed.
                    let store = FailingStore(bench.store) { $0 == 4 && wasAsked ? .dies(applied: false) : .answers }
                    _ = try? await bench.coordinator(before, on: store).recover()
                    bench.clock.advance(by: .seconds(60))
                    let after = bench.definition(b: step("b", bench.ledger, ifUnknown: parks ? .park : .reexecute))
                    let sagas = bench.coordinator(after)
                    if isStuck, !wasAsked { try await sagas.retry("s1", reason: "it is not probed any more") }
                    let result = try await bench.finish(on: sagas)
                    let place: Comment = "asked \(wasAsked), stuck \(isStuck), parks \(parks)"
                    if parks, wasAsked || !isStuck {
                        #expect(result?.stuck?.reason == .outcomeUnknown, place)
                    } else {
                        #expect(result == .completed && bench.ledger.standing == ["a", "b", "c"], place)
                    }
                }
            }
        }
    }
}
