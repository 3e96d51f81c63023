// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

private func at(_ seconds: Int64) -> Timestamp { Timestamp(nanosecondsSince1970: seconds * 1_000_000_000) }

private let print = Fingerprint { $0.field("amount", 100) }.stored
private let open = KeyBody(fingerprint: print)
private let unknown = KeyBody(fingerprint: print, settlement: .unknown(.failed))
private let done = KeyBody(fingerprint: print, settlement: .completed(.value([7]), retention: .seconds(100)))

private func record(
    _ body: KeyBody, holder: UInt64? = 1, leaseUntil: Timestamp? = nil, expiresAt: Timestamp? = nil
) -> Record {
    let process = ProcessIdentity(host: "h", pid: 1, instance: 1)
    return Record(
        id: RecordID(IdempotencyKey.collection, "k"), fence: Fence(rawValue: 4),
        changedUnder: Fence(rawValue: 3), holder: holder.map { Holder(nonce: $0, process: process) },
        leaseUntil: leaseUntil, position: 9, expiresAt: expiresAt, state: "s", claims: 2, createdAt: at(0),
        body: body.bytes)
}

/// What a record shows at the fiftieth second.
private let states: [(Record, IdempotencyEntry.State)] = [
    // Completed, whoever holds the record; the completion is the expiry less the retention.
    (record(done, holder: nil, expiresAt: at(110)), .completed(.value([7]), at: at(10), age: .seconds(40))),
    (record(done, leaseUntil: at(60), expiresAt: at(110)), .completed(.value([7]), at: at(10), age: .seconds(40))),
    (record(done, holder: nil, expiresAt: at(170)), .completed(.value([7]), at: at(70), age: .zero)),
    // Held until the very end of the lease, and not at it.
    (record(open, leaseUntil: at(60)), .inProgress(leaseRemaining: .seconds(10))),
    (
        record(open, leaseUntil: Timestamp(nanosecondsSince1970: 50_000_000_001)),
        .inProgress(leaseRemaining: .nanoseconds(1))
    ),
    (record(open, leaseUntil: at(50)), .unknown(.leasePassed)),
    (record(open, leaseUntil: at(40)), .unknown(.leasePassed)),
    // In progress without a lease is not free to be taken over silently.
    (record(open, holder: nil), .unknown(.leasePassed)),
    // Left unknown; taken over; and the one that took over is gone too.
    (record(unknown, holder: nil), .unknown(.failed)),
    (record(unknown, leaseUntil: at(60)), .inProgress(leaseRemaining: .seconds(10))),
    (record(unknown, leaseUntil: at(50)), .unknown(.leasePassed)),
]

private func entry(
    _ fence: UInt64, settledUnder: UInt64? = nil, attempt: Int = 1, incarnation: UInt64 = 1, isHeld: Bool = false,
    state: IdempotencyEntry.State = .unknown(.failed)
) throws -> IdempotencyEntry {
    let execution = IdempotencyExecution(
        key: try IdempotencyKey(tenant: "t", operation: "o", key: "k"), fence: Fence(rawValue: fence),
        attempt: attempt, fingerprint: print, leaseUntil: at(0))
    return IdempotencyEntry(
        execution: execution, holder: isHeld ? .new() : nil, settledUnder: settledUnder.map(Fence.init(rawValue:)),
        incarnation: incarnation, state: state)
}

@Suite struct KeyStateTests {
    @Test(arguments: states)
    func `what a record shows follows from it`(record: Record, expected: IdempotencyEntry.State) throws {
        let key = try IdempotencyKey(tenant: "t", operation: "o", key: "k")
        let entry = IdempotencyEntry(record, of: key, now: at(50))
        #expect(entry.state == expected)
        if case .completed = expected { #expect(entry.holder == nil) }
        #expect(entry.execution.fence == Fence(rawValue: 4))
        #expect(entry.settledUnder == Fence(rawValue: 3))
        #expect(entry.execution.attempt == 2)
        #expect(entry.incarnation == 9)
        #expect(entry.execution.fingerprint == print)
    }

    /// After the settlement of an execution under fence 5.
    @Test func `after uncertainty, the fence that the last change named tells whose it was`() throws {
        let execution = try entry(5).execution
        let completed = IdempotencyEntry.State.completed(.value([]), at: at(7), age: .zero)
        let continued = try entry(6, settledUnder: 5, isHeld: true)
        let fates: [(isRelease: Bool, IdempotencyEntry?, SettlementFate)] = [
            (false, nil, .lost),
            (false, try entry(5), .pending),
            (false, try entry(6), .lost),
            (false, try entry(6, settledUnder: 5), .settled(nil)),
            (false, try entry(6, settledUnder: 5, state: completed), .settled(at(7))),
            // A store whose fences stay.
            (false, try entry(5, settledUnder: 5), .settled(nil)),
            (false, try entry(7, settledUnder: 6), .lost),
            // Claimed behind a checkpoint, which says nothing of a settlement.
            (false, try entry(7, settledUnder: 5, attempt: 2, isHeld: true), .lost),
            // A checkpoint that was not known to be in.
            (false, continued, .kept(continued.execution)),
            (true, continued, .kept(continued.execution)),
            (true, nil, .settled(nil)),
            (true, try entry(5), .pending),
            (true, try entry(6, attempt: 2), .lost),
            (true, try entry(6, settledUnder: 5, attempt: 2), .lost),
            // The key was free, and somebody has claimed it since.
            (true, try entry(6), .settled(nil)),
        ]
        for (isRelease, standing, expected) in fates {
            #expect(SettlementFate(of: execution, isRelease: isRelease, standing) == expected)
        }
    }

    @Test func `a probe's answer holds only for the execution that it was asked about`() throws {
        let probed = try entry(1, settledUnder: 1, attempt: 4, incarnation: 3)
        let later: [(IdempotencyEntry, Bool)] = [
            (try entry(2, settledUnder: 1, attempt: 5, incarnation: 3), true),
            (try entry(2, settledUnder: 1, attempt: 6, incarnation: 3), false),
            (try entry(2, settledUnder: 1, attempt: 4, incarnation: 3), false),
            (try entry(2, settledUnder: 2, attempt: 5, incarnation: 3), false),
            (try entry(2, settledUnder: nil, attempt: 5, incarnation: 3), false),
            (try entry(2, settledUnder: 1, attempt: 5, incarnation: 4), false),
        ]
        for (entry, expected) in later { #expect(entry.isNextClaim(of: probed) == expected) }
    }

    @Test func `a body reads back, and every other one is refused`() throws {
        let checkpoint = try IdempotencyCheckpoint("charged", [1, 2, 3])
        let settlements: [KeyBody.Settlement] = [
            .open, .unknown(.cancelled), .completed(.value([1]), retention: .seconds(1)),
            .completed(.failure([]), retention: .nanoseconds(1)),
            .completed(.omitted(size: 1_000_000), retention: .seconds(3)),
        ]
        for settlement in settlements {
            for checkpoint in [nil, checkpoint] {
                let body = KeyBody(fingerprint: print, checkpoint: checkpoint, settlement: settlement)
                let bytes = body.bytes
                #expect(try KeyBody(bytes) == body)
                for count in bytes.indices {
                    #expect(throws: MalformedBytes.self) { try KeyBody(Array(bytes.prefix(count))) }
                }
                #expect(throws: MalformedBytes.self) { try KeyBody(bytes + [0]) }
                #expect(throws: MalformedBytes.self) { try KeyBody([2] + bytes.dropFirst()) }
            }
        }
    }
}
