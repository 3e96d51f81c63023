// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

@Suite struct IdempotentOperationTests {
    @Test(arguments: StoreKind.all)
    func `a duplicate gets the stored value, and the handler has run once`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        let first = try await shop.charge(charge)
        #expect(first.value == "receipt 1")
        #expect(first.origin == .fresh)
        let record = try #require(try await shop.record())
        #expect(record.state == KeyState.completed)
        #expect(record.leaseUntil == nil)
        let completedAt = try #require(record.expiresAt).advanced(by: .zero - shop.retention)

        shop.clock.advance(by: .seconds(90))
        let second = try await shop.charge(charge)
        #expect(second.value == "receipt 1")
        #expect(second.origin == .replayed(firstCompletedAt: completedAt, age: .seconds(90)))
        #expect(shop.charges.all.count == 1)
        #expect(shop.outcomes == [.new, .completed, .replayed])
        #expect(shop.events.all.map(\.operation) == ["charge", "charge", "charge"])
        #expect(shop.events.all[1].fence == shop.charges.all[0].fence)
    }

    @Test(arguments: StoreKind.all)
    func `while the first request runs, a duplicate is told the rest of its lease`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        try await shop.crashed()
        let charge = shop.operation(.reexecute)
        for (advance, rest) in [(Duration.zero, Duration.seconds(60)), (.seconds(59), .seconds(1))] {
            shop.clock.advance(by: advance)
            await #expect(throws: IdempotencyInFlight(key: try shop.key(), retryAfter: rest)) {
                try await shop.charge(charge)
            }
        }
        shop.clock.advance(by: .seconds(1))
        #expect(try await shop.charge(charge).origin == .fresh)
        #expect(shop.outcomes == [.inFlight, .inFlight, .reclaimed, .completed])
    }

    @Test(arguments: StoreKind.all)
    func `tenants, operations and keys are independent`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        for (tenant, name, key) in [("a", "o", "k"), ("b", "o", "k"), ("a", "p", "k"), ("a", "o", "l")] {
            let operation = shop.operation(name: name)
            let result = try await operation.run(key, tenant: tenant, fingerprint: shop.fingerprint) { _ in tenant }
            #expect(result.origin == .fresh)
        }
    }

    @Test(arguments: StoreKind.all)
    func `200 duplicates at once take effect exactly once`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        let answers = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    do {
                        return try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { context in
                            shop.charges.append(context)
                            await Task.yield()
                            return "receipt"
                        }.value
                    } catch is IdempotencyInFlight {
                        return nil
                    }
                }
            }
            return try await group.reduce(into: [String?]()) { $0.append($1) }
        }
        #expect(shop.charges.all.count == 1)
        #expect(answers.contains("receipt"))
        #expect(answers.allSatisfy { $0 == nil || $0 == "receipt" })
        #expect(try await shop.charge(charge).value == "receipt")
        #expect(shop.outcomes.filter { $0 == .new || $0 == .completed }.count == 2)
    }

    @Test(arguments: StoreKind.all)
    func `retention counts from the completion, and then the key is new`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        _ = try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
            shop.clock.advance(by: .seconds(30))
            return "receipt"
        }
        shop.clock.advance(by: shop.retention - .nanoseconds(1))
        #expect(try await shop.charge(charge).isReplayed)
        shop.clock.advance(by: .nanoseconds(1))
        #expect(try await shop.charge(charge).origin == .fresh)

        let month = IdempotentOperation(
            "month", store: shop.store, codec: .string, retention: .seconds(30 * 86_400), ifUnknown: .park)
        try await shop.charge(month)
        shop.clock.advance(by: .seconds(30 * 86_400 - 1))
        #expect(try await shop.charge(month).isReplayed)
    }

    @Test(arguments: StoreKind.all)
    func `a rejection after the first of two effects frees the key unless the classification knows better`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(classify: { $0.failure is CardRefused ? .unknown : nil })
        await #expect(throws: CardRefused()) { try await shop.charge(charge, throwing: CardRefused()) }
        #expect(try await shop.record()?.state == KeyState.unknown)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(charge) }
        #expect(shop.charges.all.count == 1)
    }

    @Test(arguments: StoreKind.all)
    func `an error that proves that nothing happened frees the key`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(classify: { $0.failure is ProviderTimeout ? .release : nil })
        await #expect(throws: CardRefused()) { try await shop.charge(charge, throwing: CardRefused()) }
        #expect(try await shop.record() == nil)
        await #expect(throws: ProviderTimeout.self) { try await shop.charge(charge, throwing: ProviderTimeout()) }
        #expect(try await shop.record() == nil)
        #expect(try await shop.charge(charge).origin == .fresh)
        #expect(shop.charges.all.map(\.attempt) == [1, 1, 1])
        #expect(shop.outcomes == [.new, .released, .new, .released, .new, .completed])
    }

    @Test(arguments: StoreKind.all)
    func `every other error leaves the outcome unknown and comes out unchanged`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        let errors: [any Error] = [ProviderTimeout(), CancellationError(), StoreError.closed]
        for (index, error) in errors.enumerated() {
            let key = "k\(index)"
            await #expect {
                try await shop.charge(charge, key, throwing: error)
            } throws: {
                type(of: $0) == type(of: error)
            }
            let record = try #require(try await shop.record(key))
            #expect(record.state == KeyState.unknown)
            #expect(record.leaseUntil == nil)
            #expect(record.expiresAt == nil)
            await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(charge, key) }
        }
        #expect(shop.charges.all.count == errors.count)
    }

    @Test(arguments: StoreKind.all)
    func `a refusal that is returned as a value is replayed`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        _ = try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in "declined" }
        #expect(try await shop.charge(charge).value == "declined")
        #expect(shop.charges.all.isEmpty)
    }

    @Test(arguments: StoreKind.all)
    func `a task that is cancelled before the handler starts changes nothing`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute)
        let early = Task {
            cancelCurrentTask()
            try await shop.charge(charge)
        }
        await #expect(throws: CancellationError.self) { try await early.value }
        #expect(shop.store.count(.commit) == 0)

        // The claim is in when the cancellation is seen: it is given back.
        shop.store.next(.commit, .after { _ in cancelCurrentTask() })
        let late = Task { try await shop.charge(charge) }
        await #expect(throws: CancellationError.self) { try await late.value }
        #expect(try await shop.record() == nil)

        // After an execution of unknown outcome it must not become free.
        try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        shop.store.next(.claim, .after { _ in cancelCurrentTask() })
        let again = Task { try await shop.charge(charge) }
        await #expect(throws: CancellationError.self) { try await again.value }
        #expect(try await shop.record()?.state == KeyState.unknown)
        #expect(shop.charges.all.isEmpty)
    }

    @Test(arguments: StoreKind.all)
    func `a task that is cancelled while the handler runs still stores what came of it`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        let ignoring = Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
                cancelCurrentTask()
                return "receipt"
            }
        }
        #expect(try await ignoring.value.value == "receipt")
        #expect(try await shop.charge(charge).value == "receipt")

        let heeding = Task {
            try await charge.run("l", tenant: "acme", fingerprint: shop.fingerprint) { _ in
                cancelCurrentTask()
                try Task.checkCancellation()
                return "receipt"
            }
        }
        await #expect(throws: CancellationError.self) { try await heeding.value }
        #expect(try await shop.record("l")?.state == KeyState.unknown)
    }

    @Test(arguments: StoreKind.all)
    func `a purge takes expired keys alone`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        try await shop.crashed("crashed")
        await #expect(throws: ProviderTimeout.self) { try await shop.charge(charge, "u", throwing: ProviderTimeout()) }
        try await withThrowingTaskGroup { group in
            for number in 0..<1_000 { group.addTask { _ = try await shop.charge(charge, "done \(number)") } }
            try await group.waitForAll()
        }
        shop.clock.advance(by: .seconds(100 * 86_400))
        while try await shop.store.purgeExpired(limit: 100) > 0 {}
        #expect(
            try await shop.store.statistics(of: IdempotencyKey.collection).counts
                == [KeyState.inProgress: 1, KeyState.unknown: 1])
    }

    @Test(arguments: StoreKind.all)
    func `a clock that steps back loses no key and repeats no fence`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        shop.clock.advance(by: .seconds(7_200))
        try await shop.charge(charge)
        shop.clock.set(to: .init(offset: .seconds(3_600)))
        let replay = try await shop.charge(charge)
        guard case .replayed(_, let age) = replay.origin else { throw Unexpected() }
        #expect(age >= .zero)
        try await shop.charge(charge, "l")
        let fences = shop.charges.all.map(\.fence)
        #expect(fences.count == 2 && fences[0] < fences[1])
    }

    @Test func `an outcome outlives the store that it was given to`() async throws {
        let scratch = try TemporaryDirectory()
        for isReplay in [false, true] {
            let store = try FileRecordStore(directory: scratch.path)
            let charge = IdempotentOperation("charge", store: store, codec: .string, ifUnknown: .park)
            let result = try await charge.run("k", tenant: "acme", fingerprint: Fingerprint { _ in }) { _ in "receipt" }
            #expect(result.value == "receipt")
            #expect(result.isReplayed == isReplay)
            try await store.close()
        }
    }

    @Test func `the handler runs in the isolation of its caller`() async throws {
        let operation = IdempotentOperation("o", store: InMemoryRecordStore(), codec: .void, ifUnknown: .park)
        try await onMain(operation)
    }

    @MainActor private func onMain(_ operation: IdempotentOperation<Void>) async throws {
        _ = try await operation.run("k", tenant: "t", fingerprint: Fingerprint { _ in }) { _ in
            MainActor.assertIsolated()
        }
    }
}
