// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Testing

@testable import ReliabilityTesting

@Suite struct GivenNumbersTests {
    private static let (a, b) = (RecordID("x", "a"), RecordID("x", "b"))

    @Test(
        arguments: [
            [],
            [.insert(a, 1), .shown(a, 1, at: 7)],
            [.insert(a, 1), .insert(b, 2), .shown(b, 2, at: 7), .shown(a, 5, at: 9)],
            [.shown(a, 1, at: 7), .insert(a, 1)],
            // The record comes back at another position.
            [.insert(a, 1), .shown(a, 1, at: 7), .insert(a, 5), .shown(a, 6, at: 8), .shown(a, 3, at: 7)],
            [.insert(a, 1), .claimed(a, 2, at: 7)],
            // The record keeps its position under another name, and a new one takes the old name.
            [
                .insert(a, 1), .shown(a, 1, at: 7), .move(a, 1, to: b, 2), .shown(b, 2, at: 7), .insert(a, 3),
                .shown(a, 3, at: 8),
            ],
        ] as [[StoreHistory.Call]]) fileprivate func `numbers that a store may give out`(
            calls: [StoreHistory.Call]
        ) throws
    {
        _ = try GivenNumbers(calls)
    }

    @Test(
        arguments: [
            (
                [.insert(a, 1), .insert(b, 1), .shown(a, 1, at: 7), .shown(b, 1, at: 8)],
                "the fence 0.1 of x/b was given out twice"
            ),
            ([.insert(a, 1), .claimed(a, 1, at: 7)], "the fence 0.1 of x/a was given out twice"),
            ([.claimed(a, 2, at: 7), .claimed(a, 2, at: 7)], "the fence 0.2 of x/a was given out twice"),
            (
                [.insert(a, 1), .shown(a, 1, at: 7), .move(a, 1, to: b, 1)],
                "the fence 0.1 of x/b was given out twice"
            ),
            ([.insert(a, 2), .shown(a, 1, at: 7)], "x/a has the fence 0.1, which no insert comes before"),
            ([.insert(b, 1), .shown(a, 1, at: 7)], "x/a has the fence 0.1, which no insert comes before"),
            (
                [.insert(a, 1), .shown(a, 1, at: 7), .shown(a, 3, at: 8)],
                "the position of x/a at 0.3 is 8, expected 7"
            ),
            ([.insert(a, 1)], "the insert of x/a that was answered with 0.1 was never seen"),
            (
                [.insert(a, 1), .insert(b, 2), .shown(a, 1, at: 7), .shown(b, 2, at: 7)],
                "the number of positions of all inserts is 1, expected 2"
            ),
        ] as [([StoreHistory.Call], String)]) fileprivate func `numbers that no store may give out`(
            calls: [StoreHistory.Call], violation: String
        ) throws
    {
        let seen = #expect(throws: Violation.self) { try GivenNumbers(calls) }
        #expect(seen?.description == violation)
    }

    @Test func `each insert is given the position that was shown after it`() throws {
        let calls: [StoreHistory.Call] = [
            .insert(Self.a, 1), .shown(Self.a, 2, at: 7), .insert(Self.a, 5), .shown(Self.a, 6, at: 9),
        ]
        let numbers = try GivenNumbers(calls)
        let insert = Change.insert(Self.a, RecordContent(state: "x"))
        #expect(numbers.positions(of: [(insert, Fence(rawValue: 1))]) == [Self.a: 7])
        #expect(numbers.positions(of: [(insert, Fence(rawValue: 5))]) == [Self.a: 9])
    }
}

extension StoreHistory.Call {
    private static var now: Timestamp { Timestamp(nanosecondsSince1970: 1) }

    private static func call(_ operation: StoreCall.Operation, _ answer: StoreAnswer) -> Self {
        Self(StoreCall(operation, at: now), made: 1, outcome: .answered(answer, at: 2))
    }

    fileprivate static func insert(_ id: RecordID, _ fence: UInt64) -> Self {
        call(
            .commit([.insert(id, RecordContent(state: "x"))]),
            .commit(.committed(.init(now: now, fences: [Fence(rawValue: fence)]))))
    }

    fileprivate static func move(_ id: RecordID, _ old: UInt64, to other: RecordID, _ fence: UInt64) -> Self {
        let content = RecordContent(state: "x")
        return call(
            .commit([.move(id, to: other, expecting: Fence(rawValue: old), with: content, lease: .keep)]),
            .commit(.committed(.init(now: now, fences: [Fence(rawValue: fence)]))))
    }

    private static func record(_ id: RecordID, _ fence: UInt64, _ position: UInt64) -> Record {
        Record(id: id, fence: Fence(rawValue: fence), position: position, state: "x", createdAt: now)
    }

    fileprivate static func shown(_ id: RecordID, _ fence: UInt64, at position: UInt64) -> Self {
        call(.read([id]), .read(ReadAnswer(now: now, records: [record(id, fence, position)])))
    }

    fileprivate static func claimed(_ id: RecordID, _ fence: UInt64, at position: UInt64) -> Self {
        call(
            .claim(ClaimRequest(.ids([id]), lease: Lease(.zero))),
            .claim(ClaimAnswer(now: now, claimed: [record(id, fence, position)])))
    }
}
