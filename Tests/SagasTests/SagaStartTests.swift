// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

/// An input whose values are equal although their bytes differ.
private struct Tag: Codable, Equatable, Sendable {
    var text: String
    static func == (lhs: Tag, rhs: Tag) -> Bool { lhs.text.lowercased() == rhs.text.lowercased() }
}

private struct Price: Codable, Sendable { var value: Double }

@Suite struct SagaStartTests {
    @Test(arguments: StoreKind.all)
    func `starting again is harmless, with another input or other steps it is a mismatch, also after the end`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let sagas = bench.coordinator(definition)
        let others = [
            bench.definition(version: 2), bench.definition(b: step("bb", bench.ledger)),
            bench.definition("other"), bench.definition(b: .reading("b") { _ in }),
        ]
        func startAgain() async throws {
            #expect(try await sagas.start(definition, id: "s1", input: Order()).id == "s1")
            await #expect(throws: SagaMismatch(sagaID: "s1")) {
                try await sagas.start(definition, id: "s1", input: Order(item: "pen"))
            }
            for other in others {
                let mismatch = SagaDefinitionMismatch(sagaID: "s1", standing: definition.shape, given: other.shape)
                await #expect(throws: mismatch) { try await sagas.start(other, id: "s1", input: Order()) }
            }
        }
        try await sagas.start(definition, id: "s1", input: Order())
        try await startAgain()
        #expect(bench.events == ["started"])
        #expect(try await sagas.recover().map(\.outcome) == [.ended(.completed)])
        try await startAgain()
        bench.clock.advance(by: .seconds(30 * 86_400) - .nanoseconds(1))
        try await startAgain()
        #expect(try await sagas.recover() == [])
        #expect(bench.ledger.calls == ["+a1", "+b1", "+c1"])
        // What is not kept any longer is not known.
        bench.clock.advance(by: .nanoseconds(1))
        try await sagas.start(definition, id: "s1", input: Order(item: "pen"))
        #expect(try await sagas.recover().map(\.outcome) == [.ended(.completed)])
        #expect(bench.ledger.calls == ["+a1", "+b1", "+c1", "+a1", "+b1", "+c1"])
    }

    @Test func `a migration of one definition says nothing of another`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let (refund, checkout) = (bench.definition("refund"), bench.definition("checkout", version: 2))
        let newer = bench.definition("refund", version: 2)
        let sagas = SagaCoordinator(
            "shop", store: bench.store, definitions: newer, checkout,
            migrations: [SagaMigration("refund", from: 1, to: 2)], clock: bench.clock)
        try await bench.coordinator(refund).start(refund, id: "s1", input: Order())
        #expect(try await sagas.start(newer, id: "s1", input: Order()).id == "s1")
        let mismatch = SagaDefinitionMismatch(sagaID: "s1", standing: refund.shape, given: checkout.shape)
        await #expect(throws: mismatch) { try await sagas.start(checkout, id: "s1", input: Order()) }
    }

    @Test(arguments: StoreKind.all)
    func `an input is the same where its values are equal`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let tagged = SagaDefinition<Tag>("tag", version: 1) { SagaStep.reading("look") { _ in } }
        let sagas = bench.coordinator(tagged)
        try await sagas.start(tagged, id: "s1", input: Tag(text: "Blue"))
        try await sagas.start(tagged, id: "s1", input: Tag(text: "blue"))
        await #expect(throws: SagaMismatch.self) { try await sagas.start(tagged, id: "s1", input: Tag(text: "red")) }
        // Values that cannot be compared are the same where their bytes are.
        let priced = SagaDefinition<Price>("price", version: 1) { SagaStep.reading("look") { _ in } }
        try await sagas.start(priced, id: "s2", input: Price(value: 1))
        try await sagas.start(priced, id: "s2", input: Price(value: 1))
        await #expect(throws: SagaMismatch.self) { try await sagas.start(priced, id: "s2", input: Price(value: 2)) }
    }

    @Test(arguments: StoreKind.all)
    func `a start whose outcome is unknown looks, and says that it does not know where it cannot`(
        kind: StoreKind
    ) async throws {
        for (applied, readFails) in [(true, false), (false, false), (true, true), (false, true)] {
            let bench = try Bench(kind)
            let definition = bench.definition()
            let dead = MeddledStore(bench.store) { moment throws(StoreError) in
                if readFails, case .beforeRead = moment { throw .unavailable(MeddledStore.failure) }
            }
            let uncertain = FailingStore(dead) { $0 == 1 ? .uncertain(applied: applied) : .answers }
            let sagas = bench.coordinator(definition, on: uncertain)
            if applied, !readFails {
                try await sagas.start(definition, id: "s1", input: Order())
            } else {
                await #expect("applied \(applied), read fails \(readFails)") {
                    try await sagas.start(definition, id: "s1", input: Order())
                } throws: { error in
                    if case .outcomeUnknown = error as? StoreError { true } else { false }
                }
            }
            let again = bench.coordinator(definition)
            try await again.start(definition, id: "s1", input: Order())
            #expect(try await again.recover().map(\.outcome) == [.ended(.completed)])
            #expect(bench.ledger.calls == ["+a1", "+b1", "+c1"])
        }
    }

    @Test(arguments: StoreKind.all)
    func `an identifier is 1 to 128 bytes of printable ASCII without space, an input at most 64 KiB of JSON`(
        kind: StoreKind
    ) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let sagas = bench.coordinator(definition)
        for id in ["", "a b", "é", "a\u{7F}", "a\n", String(repeating: "x", count: 129)] {
            await #expect(throws: StoreError.self, "\(id)") {
                try await sagas.start(definition, id: id, input: Order())
            }
            #expect(throws: StoreError.self, "\(id)") { try sagas.change(starting: definition, id: id, input: Order()) }
        }
        for id in ["!", "~", "a/1", "a", String(repeating: "x", count: 128)] {
            try await sagas.start(definition, id: id, input: Order())
        }
        #expect(try await sagas.recover().map(\.outcome) == Array(repeating: .ended(.completed), count: 5))
        // {"item":""} is eleven bytes.
        let longest = Order(item: String(repeating: "x", count: 65_536 - 11))
        try await sagas.start(definition, id: "long", input: longest)
        await #expect(throws: StoreError.self) {
            try await sagas.start(definition, id: "longer", input: Order(item: longest.item + "x"))
        }
        let priced = SagaDefinition<Price>("price", version: 1) { SagaStep.reading("look") { _ in } }
        await #expect(throws: EncodingError.self) {
            try await sagas.start(priced, id: "nan", input: Price(value: .nan))
        }
        #expect(try await sagas.list().sagas.count == 6)
    }

    @Test(arguments: StoreKind.all)
    func `a saga starts together with other records, or not at all`(kind: StoreKind) async throws {
        let bench = try Bench(kind)
        let definition = bench.definition()
        let sagas = bench.coordinator(definition)
        let order = RecordID("orders", "1")
        func place(_ id: String) async throws -> CommitAnswer {
            try await bench.store.commit([
                .insert(order, RecordContent(state: "placed")),
                try sagas.change(starting: definition, id: id, input: Order()),
            ])
        }
        guard case .committed = try await place("s1") else { Issue.record("nothing was placed"); return }
        guard case .conflict = try await place("s2") else { Issue.record("placed twice"); return }
        await #expect(throws: SagaNotFound(sagaID: "s2")) { try await sagas.saga("s2").status() }
        #expect(try await sagas.start(definition, id: "s1", input: Order()).status().state == .running)
        #expect(try await sagas.recover().map(\.sagaID) == ["s1"])
        #expect(bench.ledger.standing == ["a", "b", "c"])
    }
}
