// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Testing

@testable import DeadLetters

@Suite struct DeadLetterTests {
    static func time(_ seconds: Int64) -> Timestamp { Timestamp(nanosecondsSince1970: seconds * 1_000_000_000) }

    static func failure(_ number: Int) -> DeadLetterFailure {
        DeadLetterFailure(errorType: "Declined", message: "attempt \(number)", time: time(Int64(number)))
    }

    @Test(arguments: [(0, [Int]()), (1, [1]), (10, Array(1...10)), (11, [1] + (3...11)), (50, [1] + (42...50))])
    func `a history keeps the first failure and the last nine, and counts all`(failures: Int, kept: [Int]) {
        let history = FailureHistory((0..<failures).map { Self.failure($0 + 1) })
        #expect(history.count == failures)
        #expect(history.kept == kept.map(Self.failure))
        #expect(history.first == kept.first.map(Self.failure))
        #expect(history.last == kept.last.map(Self.failure))
    }

    @Test(arguments: [
        (String(repeating: "x", count: 1_000_000), String(repeating: "x", count: 1_024)),
        (String(repeating: "x", count: 1_024), String(repeating: "x", count: 1_024)),
        (String(repeating: "x", count: 1_023) + "é", String(repeating: "x", count: 1_023)),
        (String(repeating: "x", count: 1_020) + "👩‍👩‍👧", String(repeating: "x", count: 1_020)),
        ("a" + String(repeating: "\u{301}", count: 2_000), ""),
    ])
    func `a message is cut to its limit at the end of a character`(message: String, kept: String) {
        #expect(DeadLetterFailure(errorType: message, message: message, time: Self.time(0)).message == kept)
    }

    @Test func `a letter with every part at its limit fits into a record`() throws {
        let long = String(repeating: "x", count: 5_000)
        let failures = (0..<20).map { _ in DeadLetterFailure(errorType: long, message: long, time: Self.time(1)) }
        var body = DeadLetterBody(
            NewDeadLetter(
                id: "a", reason: .manual(long),
                origin: DeadLetterOrigin(
                    source: String(repeating: "s", count: 255), id: String(repeating: "i", count: 1_024),
                    position: .max,
                    orderKey: String(repeating: "o", count: 255)),
                payload: [], failures: FailureHistory(failures)))
        body.payload = Array(repeating: 1, count: RecordDeadLetterQueue.maximumPayload)
        #expect(body.encoded().count <= RecordLimits.body.upperBound)
    }

    @Test func `bytes come back as they were written, and no damage to them traps`() throws {
        for letter in [
            NewDeadLetter(
                id: "a", reason: .manual("why"),
                origin: DeadLetterOrigin(source: "orders", id: "7", position: 9, orderKey: "k"),
                payload: [0, 255], failures: FailureHistory((1...12).map(Self.failure))),
            NewDeadLetter(id: "b", reason: .expired, origin: DeadLetterOrigin(source: "", id: ""), payload: []),
        ] {
            let body = DeadLetterBody(letter)
            let bytes = body.encoded()
            #expect(try DeadLetterBody(decoding: bytes) == body)
            for length in 0..<bytes.count {
                #expect(throws: MalformedBytes.self) { try DeadLetterBody(decoding: Array(bytes[..<length])) }
            }
            #expect(throws: MalformedBytes.self) { try DeadLetterBody(decoding: bytes + [0]) }
            #expect(throws: MalformedBytes.self) { try DeadLetterBody(decoding: [3] + bytes.dropFirst()) }
            for index in bytes.indices {
                var flipped = bytes
                flipped[index] ^= 0xFF
                _ = try? DeadLetterBody(decoding: flipped)
            }
        }
    }

    @Test func `what a record of other hands counts does not make a letter trap`() throws {
        let letter = NewDeadLetter(
            id: "a", reason: .expired, origin: DeadLetterOrigin(source: "s", id: "a"), payload: [])
        for (claims, arrivals, redrives) in [(0, 4_294_967_295, 0), (.max, 0, 4_294_967_295), (3, 1, 5)] {
            let arrival = DeadLetterBody.Arrival(
                time: Self.time(1), claims: arrivals, redrives: redrives, deliveries: 4_294_967_295)
            let record = Record(
                id: RecordID("dead-letters/q", "a"), fence: Fence(rawValue: 1), position: 1, state: "expired",
                claims: claims, createdAt: Self.time(0), body: DeadLetterBody(letter, arrival: arrival).encoded())
            let read = try DeadLetter(record)
            #expect((0...4_294_967_294).contains(read.redriveCount))
            if claims == 3 { #expect(read.redriveCount == 7) }
        }
    }
}
