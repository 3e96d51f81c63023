// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import Testing

private func at(_ seconds: Int64) -> Timestamp { Timestamp(nanosecondsSince1970: seconds * 1_000_000_000) }
private func fence(_ number: UInt64) -> Fence { Fence(rawValue: number) }

private let first = Fingerprint { $0.field("amount", 100) }
private let second = Fingerprint { $0.field("amount", 200) }
private let completion = KeyBody.Completion(output: [7], retention: .seconds(100))
private let pending = KeyBody(fingerprint: first).bytes
private let done = KeyBody(fingerprint: first, completion: completion).bytes

private func record(
    _ fence: UInt64 = 1, changedUnder: UInt64? = nil, nonce: UInt64 = 1, leaseUntil: Timestamp? = nil,
    position: UInt64 = 1, expiresAt: Timestamp? = nil, claims: Int = 1, body: [UInt8] = pending
) -> Record {
    let process = ProcessIdentity(host: "h", pid: 1, instance: 1)
    return Record(
        id: RecordID(IdempotencyKey.collection, "k"), fence: Fence(rawValue: fence),
        changedUnder: changedUnder.map(Fence.init(rawValue:)), holder: Holder(nonce: nonce, process: process),
        leaseUntil: leaseUntil, position: position, expiresAt: expiresAt, state: "s", claims: claims,
        createdAt: at(0), body: body)
}

/// Now is second 50, the call's own nonce is 9.
private let decisions: [(Record?, Fingerprint, KeyDecision)] = [
    // Nothing stands there.
    (nil, first, KeyDecision.insert),
    // The fingerprint comes first, whatever the state.
    (record(leaseUntil: at(60)), second, .mismatch),
    (record(), second, .mismatch),
    (record(expiresAt: at(110), body: done), second, .mismatch),
    // Completed: replayed whoever holds the record; the completion is the expiry less the retention.
    (record(expiresAt: at(110), body: done), first, .replay(output: [7], completedAt: at(10), age: .seconds(40))),
    (
        record(nonce: 9, leaseUntil: at(60), expiresAt: at(110), body: done), first,
        .replay(output: [7], completedAt: at(10), age: .seconds(40))
    ),
    (record(expiresAt: at(170), body: done), first, .replay(output: [7], completedAt: at(70), age: .zero)),
    // The call's own claim, also if its lease has passed before the call saw it.
    (record(nonce: 9, leaseUntil: at(60)), first, .execute),
    (record(nonce: 9, leaseUntil: at(40)), first, .execute),
    // Somebody else's: held until the very end of the lease, and not at it.
    (record(leaseUntil: at(60)), first, .inFlight(retryAfter: .seconds(10))),
    (
        record(leaseUntil: Timestamp(nanosecondsSince1970: 50_000_000_001)), first,
        .inFlight(retryAfter: .nanoseconds(1))
    ),
    (record(leaseUntil: at(50)), first, .unknown),
    (record(leaseUntil: at(40)), first, .unknown),
    // In progress without a lease is not free to be taken over.
    (record(leaseUntil: nil), first, .unknown),
]

/// The settlement is made under fence 5.
private let fates: [(KeySettlement, Record?, KeySettlement.Fate)] = [
    (KeySettlement.complete([]), nil, KeySettlement.Fate.lost),
    (.complete([]), record(5), .pending),
    (.complete([]), record(6), .lost),
    (.complete([]), record(6, changedUnder: 5), .settled),
    (.complete([]), record(8, changedUnder: 5), .settled),
    (.complete([]), record(7, changedUnder: 6), .lost),
    (.leaveUnknown, nil, .lost),
    (.leaveUnknown, record(5), .pending),
    (.leaveUnknown, record(6, changedUnder: 5), .settled),
    (.leaveUnknown, record(6, changedUnder: 4), .lost),
    (.release, nil, .settled),
    (.release, record(5), .pending),
    (.release, record(6), .lost),
    (.release, record(6, changedUnder: 5), .lost),
]

@Suite struct KeyStateTests {
    @Test(arguments: decisions)
    func `the decision follows from what stands there`(
        standing: Record?, fingerprint: Fingerprint, expected: KeyDecision
    ) throws {
        #expect(
            try KeyDecision(standing: standing, now: at(50), fingerprint: fingerprint, nonce: 9) == expected)
    }

    @Test(arguments: fates)
    func `after uncertainty, the fence that the last change named tells whose it was`(
        settlement: KeySettlement, standing: Record?, expected: KeySettlement.Fate
    ) {
        #expect(settlement.fate(under: fence(5), standing: standing) == expected)
    }

    @Test(arguments: [
        (record(2, changedUnder: 1, position: 3, claims: 5), true),
        (record(2, changedUnder: 1, position: 3, claims: 6), false),
        (record(2, changedUnder: 1, position: 3, claims: 4), false),
        (record(2, changedUnder: 2, position: 3, claims: 5), false),
        (record(2, changedUnder: nil, position: 3, claims: 5), false),
        (record(2, changedUnder: 1, position: 4, claims: 5), false),
    ])
    func `a probe's answer holds only for the execution that it was asked about`(later: Record, expected: Bool) {
        let probed = record(1, changedUnder: 1, position: 3, claims: 4)
        #expect(later.isNextClaim(of: probed) == expected)
    }

    @Test func `a body reads back, and every other one is refused`() throws {
        let bodies = [
            KeyBody(fingerprint: first), KeyBody(fingerprint: second, completion: completion),
            KeyBody(fingerprint: first, completion: .init(output: [], retention: .nanoseconds(1))),
        ]
        for body in bodies {
            let bytes = body.bytes
            #expect(try KeyBody(bytes) == body)
            for count in bytes.indices {
                #expect(throws: MalformedBytes.self) { try KeyBody(Array(bytes.prefix(count))) }
            }
            #expect(throws: MalformedBytes.self) { try KeyBody(bytes + [0]) }
            #expect(throws: MalformedBytes.self) { try KeyBody([2] + bytes.dropFirst()) }
        }
    }

    /// Stores keep bodies for as long as outcomes are retained, so format 1 must never change.
    @Test func `format 1 stays what it is`() {
        let body = KeyBody(
            fingerprint: Fingerprint(digest: SHA256(words: (1, 2, 3, .max))),
            completion: .init(output: [8, 9], retention: .nanoseconds(256)))
        let words: [[UInt8]] = [
            [1, 0, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 0],
            [UInt8](repeating: 255, count: 8),
        ]
        #expect(body.bytes == [1] + words.flatMap { $0 } + [1, 0, 1, 0, 0, 0, 0, 0, 0, 2, 8, 9])
    }
}
