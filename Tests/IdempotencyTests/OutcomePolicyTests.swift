// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Testing

private struct Declined: Error, Equatable, Codable {
    var code: String
}

/// What is kept of an outcome, and who runs without protection.
@Suite(.timeLimit(.minutes(10))) struct OutcomePolicyTests {
    private static let declined = ErrorCodec(OutputCodec<Declined>.json)

    @Test(arguments: StoreKind.all)
    func `an error that is stored is thrown again by duplicates`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(errors: Self.declined, classify: { $0.failure is Declined ? .store : nil })
        let error = Declined(code: "51")
        for _ in 0..<3 {
            await #expect(throws: error) { try await shop.charge(charge, throwing: error) }
        }
        #expect(shop.charges.all.count == 1)
        #expect(shop.outcomes == [.new, .failed, .replayed, .replayed])
        shop.clock.advance(by: shop.retention)
        #expect(try await shop.charge(charge).origin == .fresh)
    }

    /// Without a codec, with one that has no form for it, and with one that fails.
    @Test(arguments: StoreKind.all)
    func `an error that is to be stored and cannot be leaves the outcome unknown`(kind: StoreKind) async throws {
        let codecs: [ErrorCodec?] = [
            nil, Self.declined,
            ErrorCodec(encode: { _ in throw Unexpected() }, decode: { _ in Unexpected() }),
        ]
        let shop = try Shop(kind)
        for (index, codec) in codecs.enumerated() {
            let charge = shop.operation(errors: codec, classify: { _ in .store })
            await #expect(throws: ProviderTimeout.self) {
                try await shop.charge(charge, "\(index)", throwing: ProviderTimeout())
            }
            await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(charge, "\(index)") }
        }
        #expect(shop.charges.all.count == codecs.count)

        // One that is too large to be kept is no effect that duplicates could be told of.
        let large = shop.operation(errors: Self.declined, maximumOutputSize: 10, classify: { _ in .store })
        let error = Declined(code: "insufficient funds")
        await #expect(throws: error) { try await shop.charge(large, "large", throwing: error) }
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await shop.charge(large, "large") }

        // What another version of the service has stored is not taken for anything else.
        let storing = shop.operation(errors: Self.declined, classify: { _ in .store })
        await #expect(throws: Declined.self) { try await shop.charge(storing, "d", throwing: Declined(code: "")) }
        await #expect(throws: IdempotencyRecordUnreadable.self) { try await shop.charge(shop.operation(), "d") }
    }

    @Test(arguments: StoreKind.all)
    func `a value may be given back without being stored`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(classify: { result in
            switch try? result.get() {
            case "busy": .release
            case "perhaps": .unknown
            default: nil
            }
        })
        func attempt(_ value: String, _ key: String = "k") async throws -> IdempotentResult<String> {
            try await charge.run(key, tenant: "acme", fingerprint: shop.fingerprint) { _ in value }
        }
        #expect(try await attempt("busy").value == "busy")
        #expect(try await shop.record() == nil)
        #expect(try await attempt("done").origin == .fresh)
        #expect(try await attempt("busy").value == "done")
        #expect(try await attempt("perhaps", "l").value == "perhaps")
        await #expect(throws: IdempotencyOutcomeUnknown.self) { try await attempt("done", "l") }
        #expect(try await shop.unresolved(charge).map(\.reason) == [.declared])

        // After an execution of unknown outcome nothing frees the key.
        try await shop.crashed("m")
        shop.clock.advance(by: shop.lease)
        let again = shop.operation(.reexecute, classify: { _ in .release })
        #expect(try await shop.charge(again, "m").origin == .fresh)
        #expect(try await shop.record("m")?.state == KeyState.unknown)
    }

    // MARK: Without protection

    @Test(arguments: StoreKind.all)
    func `a request without a key is refused, or runs and is counted`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        await #expect(throws: IdempotencyKeyRefused.missing) {
            try await shop.operation().run(nil, tenant: "acme", fingerprint: shop.fingerprint) { _ in "" }
        }
        let charge = shop.operation(keys: .optional)
        let downstream = Log<String>()
        for _ in 0..<2 {
            let result = try await charge.run(nil, tenant: "acme", fingerprint: shop.fingerprint) { context in
                #expect(!context.isProtected)
                downstream.append(context.downstreamKey("charge"))
                #expect(throws: IdempotencyUnprotected.self) { try context.alsoCommit([]) }
                await #expect(throws: IdempotencyUnprotected.self) { try await context.checkpoint("a") }
                return "receipt"
            }
            #expect(result.origin == .unprotected && !result.isReplayed)
        }
        #expect(Set(downstream.all).count == 2)
        let cancelled = Task {
            cancelCurrentTask()
            return try await charge.run(nil, tenant: "acme", fingerprint: shop.fingerprint) { _ in
                Issue.record("a request that was cancelled before ran")
                return ""
            }
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        #expect(shop.outcomes == [.unprotected, .unprotected])
        #expect(shop.store.count(.commit) == 0)
    }

    @Test(arguments: StoreKind.all)
    func `an operation may stay open when the store fails, but not against what the store has said`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(.reexecute, ifStoreFails: .runUnprotected)
        shop.store.next(.commit, .unavailable)
        #expect(try await shop.charge(charge).origin == .unprotected)
        // The answer to the claim is lost, and nobody can look it up.
        shop.store.next(.commit, .unknown(applied: true))
        shop.store.next(.read, .unavailable)
        #expect(try await shop.charge(charge).origin == .unprotected)
        #expect(shop.outcomes == [.unprotected, .unprotected])
        #expect(shop.events.all.allSatisfy { $0.error is StoreError })
        #expect(shop.charges.all.allSatisfy { $0.key.key == "k" && !$0.isProtected })

        // That an execution is in doubt is known by now.
        shop.clock.advance(by: shop.lease)
        shop.store.next(.claim, .unavailable)
        await #expect(throws: StoreError.self) { try await shop.charge(charge) }
        #expect(shop.charges.all.count == 2)
        // An identifier that no store takes is a mistake and no failure of the store.
        let refusing = RefusingStore(base: RecordIdempotencyStore(shop.store))
        let strict = IdempotentOperation(
            "charge", store: refusing, codec: .string, ifUnknown: .park, ifStoreFails: .runUnprotected)
        await #expect(throws: StoreError.self) { try await shop.charge(strict) }
        #expect(shop.charges.all.count == 2)
    }

    // MARK: Duplicates in flight

    /// Lets so much time pass, from one sleep to the next.
    private func pass(_ duration: Duration, _ shop: Shop) async {
        while shop.clock.now.offset < duration {
            await shop.clock.waitForSleepers()
            guard let wake = shop.clock.nextWake else { continue }
            // Of an end in another process nothing is heard.
            #expect(wake <= .seconds(1))
            shop.clock.advance(by: wake)
        }
    }

    @Test(arguments: StoreKind.all)
    func `a duplicate that waits gets the outcome as soon as it is there`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation(ifInFlight: .wait(upTo: .seconds(20)), clock: shop.clock)
        let gate = Gate()
        let first = Task {
            try await charge.run("k", tenant: "acme", fingerprint: shop.fingerprint) { _ in
                await gate.pass()
                return "receipt"
            }
        }
        await gate.waitForArrival()
        let duplicates = (0..<10).map { _ in Task { try await shop.charge(charge) } }
        // The renewal, and the time-outs of the waits.
        await shop.clock.waitForSleepers(11)
        gate.open()
        #expect(try await first.value.origin == .fresh)
        for duplicate in duplicates { #expect(try await duplicate.value.value == "receipt") }
        #expect(shop.charges.all.isEmpty)
        #expect(shop.outcomes.filter { $0 == .replayed }.count == 10)
        #expect(shop.clock.nextWake == nil)
    }

    @Test(arguments: StoreKind.all)
    func `a duplicate waits no longer than it was told, and its cancellation ends the wait`(
        kind: StoreKind
    ) async throws {
        let shop = try Shop(kind)
        try await shop.crashed()
        let charge = shop.operation(ifInFlight: .wait(upTo: .seconds(5)), clock: shop.clock)
        let cancelled = Task { try await shop.charge(charge) }
        await shop.clock.waitForSleepers()
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }

        let waiting = Task { try await shop.charge(charge) }
        await pass(.seconds(5), shop)
        #expect(
            await waiting.result.failure as? IdempotencyInFlight
                == IdempotencyInFlight(key: try shop.key(), retryAfter: .seconds(55)))
        #expect(shop.outcomes == [.inFlight])
    }

    @Test(arguments: StoreKind.all)
    func `a duplicate that waits takes over when the first execution's process is gone`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        try await shop.crashed()
        let charge = shop.operation(.reexecute, ifInFlight: .wait(upTo: shop.lease * 2), clock: shop.clock)
        let waiting = Task { try await shop.charge(charge) }
        await pass(shop.lease, shop)
        #expect(try await waiting.value.origin == .fresh)
        #expect(shop.outcomes == [.reclaimed, .completed])
        #expect(shop.clock.now.offset == shop.lease)
    }

    /// The end of a recovery, and of an operator's answer: the clock stands still.
    @Test(arguments: StoreKind.all)
    func `a duplicate that waits hears of every end in this process`(kind: StoreKind) async throws {
        for isResolved in [false, true] {
            let shop = try Shop(kind)
            let fence = try await shop.crashed()
            shop.clock.advance(by: shop.lease)
            let charge = shop.operation(
                .probe { _ in .applied("found") }, ifInFlight: .wait(upTo: .seconds(20)), clock: shop.clock)
            let gate = Gate()
            if !isResolved { shop.store.next(.commit, .pass) }
            shop.store.next(.commit, .after { _ in await gate.pass() })
            let first = Task {
                guard isResolved else { return try await shop.charge(charge).value }
                try await charge.resolve(try shop.key(), as: .completed("found"), of: fence)
                return "found"
            }
            await gate.waitForArrival()
            let duplicate = Task { try await shop.charge(charge) }
            await shop.clock.waitForSleepers()
            gate.open()
            #expect(try await first.value == "found")
            #expect(try await duplicate.value.value == "found")
            #expect(shop.charges.all.isEmpty)
        }
    }

    // MARK: What nobody knows

    @Test(arguments: StoreKind.all)
    func `every key of the operation whose outcome is unknown is listed, and no other`(kind: StoreKind) async throws {
        let shop = try Shop(kind)
        let charge = shop.operation()
        for number in 0..<7 {
            await #expect(throws: ProviderTimeout.self) {
                try await shop.charge(charge, "failed \(number)", throwing: ProviderTimeout())
            }
            try await shop.crashed("crashed \(number)")
            try await shop.charge(charge, "done \(number)")
        }
        let other = shop.operation(name: "refund")
        await #expect(throws: ProviderTimeout.self) { try await shop.charge(other, throwing: ProviderTimeout()) }
        #expect(try await shop.unresolved(charge, limit: 3).count == 7)
        shop.clock.advance(by: shop.lease)
        for limit in [1, 3, 100] {
            let executions = try await shop.unresolved(charge, limit: limit)
            #expect(executions.filter { $0.reason == .failed }.count == 7)
            #expect(executions.filter { $0.reason == .leasePassed }.count == 7)
            #expect(executions.count == 14)
        }
        for execution in try await shop.unresolved(charge) {
            try await charge.resolve(execution.key, as: .completed("by hand"), of: execution.fence)
        }
        #expect(try await shop.unresolved(charge).isEmpty)
        await #expect(throws: StoreError.self) { try await charge.unresolved(after: IdempotencyCursor("other")) }
    }
}

/// A store that takes no claims.
private struct RefusingStore: IdempotencyStoreWrapper {
    let base: any IdempotencyStore

    func claim(_ claim: IdempotencyClaim) async throws(StoreError) -> IdempotencyClaimAnswer {
        throw .refused(RefusedInput(field: "key", size: 2, allowed: 1...1))
    }
}
