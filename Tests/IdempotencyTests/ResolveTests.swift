// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

/// An operator's answer holds for the execution that the operator looked at, and for no other.
@Suite(.timeLimit(.minutes(10))) struct ResolveTests {
    /// Two operators look and see that nothing was charged. One answers, the client comes back and is charged, and its
    /// answer is lost. The other operator's answer must not free the key then.
    @Test(arguments: StoreKind.all)
    func `an answer about an earlier execution is refused`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.park)
        let key = try shop.key()
        try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        let seen = try #require(try await shop.record()).fence
        try await charge.resolve(key, as: .released, of: seen)
        await #expect(throws: ProviderTimeout.self) { try await shop.charge(charge, throwing: ProviderTimeout()) }

        let standing = try #require(try await shop.record())
        for resolution in [IdempotencyResolution<String>.released, .completed("none")] {
            let error = await #expect(throws: IdempotencyOutcomeUnknown.self) {
                try await charge.resolve(key, as: resolution, of: seen)
            }
            #expect(error?.fence == standing.fence)
        }
        #expect(try await shop.record() == standing)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(charge) }
        try await charge.resolve(key, as: .completed("found"), of: standing.fence)
        #expect(try await shop.charge(charge).value == "found")
        #expect(shop.charges.all.count == 1)
    }

    /// Another execution comes and goes between the look of `resolve` itself and its claim.
    @Test(arguments: StoreKind.all)
    func `an answer is not used for an execution that started after the look`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let (charge, overtaking) = (shop.operation(.park), shop.operation(.reexecute))
        try await shop.crashed()
        shop.clock.advance(by: shop.lease)
        shop.store.next(.claim, .after { _ in _ = try? await shop.charge(overtaking, throwing: ProviderTimeout()) })
        let key = try shop.key()
        await #expect(throws: IdempotencyInFlight(key: key, retryAfter: .zero)) {
            try await charge.resolve(key, as: .released, of: shop.fence())
        }
        #expect(try await shop.record()?.state == KeyState.unknown)
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(charge) }
        #expect(shop.charges.all.count == 1)
    }

    /// The operator's process is held up for longer than the lease, between the claim and the answer.
    @Test(arguments: StoreKind.all)
    func `an answer that another execution has overtaken is refused`(kind: StoreKind) async throws {
        for resolution in [IdempotencyResolution<String>.released, .completed("none")] {
            let shop = try Shop(kind)
            let (charge, overtaking) = (shop.operation(.park), shop.operation(.reexecute))
            let fence = try await shop.crashed()
            shop.clock.advance(by: shop.lease)
            shop.store.next(
                .commit,
                .after { _ in
                    shop.clock.advance(by: shop.lease)
                    try await shop.charge(overtaking)
                })
            let key = try shop.key()
            await #expect(throws: IdempotencyInFlight(key: key, retryAfter: .zero)) {
                try await charge.resolve(key, as: resolution, of: fence)
            }
            #expect(!shop.outcomes.contains(.resolved))
            #expect(try await shop.charge(charge).value == "receipt 1")
        }
    }

    @Test func `a key of another operation is a mistake`() async {
        await #expect(processExitsWith: .failure) {
            let charge = IdempotentOperation(
                "charge", store: InMemoryRecordStore(), codec: .string, ifUnknown: .park)
            let key = try IdempotencyKey(tenant: "acme", operation: "refund", key: "k")
            _ = try? await charge.resolve(key, as: .released, of: Fence(rawValue: 1))
        }
        await #expect(processExitsWith: .failure) {
            let charge = IdempotentOperation(
                "charge", store: InMemoryRecordStore(), codec: .string, ifUnknown: .park)
            let key = try IdempotencyKey(tenant: "acme", operation: "refund", key: "k")
            _ = try? await charge.run(key, fingerprint: .none) { _ in "" }
        }
    }
}
