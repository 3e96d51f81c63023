// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Testing

@testable import ReliabilityTesting

@Suite struct NumberedRecordModelTests {
    @Test(arguments: [([5, 7, 8], true), ([5, 7, 1_000], true), ([5, 7, 6], false)] as [([UInt64], Bool)])
    func `the fences of a record grow, by however much`(numbers: [UInt64], isRight: Bool) throws {
        let (id, now) = (RecordID("x", "a"), Timestamp(nanosecondsSince1970: 1))
        let content = RecordContent(state: "s")
        let fences = numbers.map { Fence(rawValue: $0) }
        let changes: [Change] =
            [.insert(id, content)]
            + fences.dropLast().map { .replace(id, expecting: $0, with: content, lease: .keep) }
        var calls = zip(changes, fences).enumerated().map { place, commit in
            StoreHistory.Call(
                StoreCall(.commit([commit.0]), at: now), made: 2 * place,
                outcome: .answered(.commit(.committed(.init(now: now, fences: [commit.1]))), at: 2 * place + 1))
        }
        let record = Record(
            id: id, fence: fences[2], changedUnder: fences[1], position: 4, state: "s", createdAt: now)
        calls.append(
            .init(
                StoreCall(.read([id]), at: now), made: 10,
                outcome: .answered(.read(ReadAnswer(now: now, records: [record])), at: 11)))
        let model = NumberedRecordModel(now: now, numbers: try GivenNumbers(calls))
        guard !isRight else {
            _ = try linearize(calls, from: model)
            return
        }
        let seen = #expect(throws: NotLinearizable.self) { try linearize(calls, from: model) }
        #expect(seen?.placed == [0, 1])
        #expect(seen?.unplaced == [2])
    }
}
