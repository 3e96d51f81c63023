// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import ReliabilityTesting
import Synchronization
import Testing

/// A shop that charges cards: what most tests of the operation are about.
struct Shop: Sendable {
    let clock = ManualClock()
    let store: ScriptedStore
    private let directory: TemporaryDirectory
    let events = Log<IdempotencyEvent>()
    /// The contexts of the charges that took effect.
    let charges = Log<IdempotencyContext>()
    let lease = Duration.seconds(60)
    let retention = Duration.seconds(3_600)
    let fingerprint = Fingerprint { $0.field("amount", 100) }

    init(_ kind: StoreKind) throws {
        directory = try TemporaryDirectory()
        store = ScriptedStore(try kind.make(clock, directory))
    }

    func operation(
        _ ifUnknown: UnknownPolicy<String> = .park, name: String = "charge", codec: OutputCodec<String> = .string,
        errors: ErrorCodec? = nil, ifInFlight: InFlightPolicy = .refuse, ifStoreFails: StoreFailurePolicy = .refuse,
        keys: KeyPolicy = .required, maximumOutputSize: Int = 262_144,
        classify: (@Sendable (Result<String, any Error>) -> IdempotencyVerdict?)? = nil,
        clock: any Clock<Duration> = StillClock.shared
    ) -> IdempotentOperation<String> {
        IdempotentOperation(
            name, store: store, codec: codec, errors: errors, lease: lease, retention: retention,
            maximumOutputSize: maximumOutputSize, ifUnknown: ifUnknown, ifInFlight: ifInFlight,
            ifStoreFails: ifStoreFails, keys: keys, classify: classify, clock: clock,
            onEvent: { [events] in events.append($0) })
    }

    func key(_ text: String = "k", operation: String = "charge") throws -> IdempotencyKey {
        try IdempotencyKey(tenant: "acme", operation: operation, key: text)
    }

    /// Charges once: every execution counts, and gives `receipt` and its number.
    @discardableResult
    func charge(
        _ operation: IdempotentOperation<String>, _ key: String = "k", receipt: String = "receipt",
        throwing error: (any Error)? = nil
    ) async throws -> IdempotentResult<String> {
        try await operation.run(key, tenant: "acme", fingerprint: fingerprint) { context in
            charges.append(context)
            if let error { throw error }
            return "\(receipt) \(charges.all.count)"
        }
    }

    /// The claim of an execution whose process is gone.
    @discardableResult
    func crashed(_ key: String = "k", lease: Duration? = .seconds(60)) async throws -> Fence {
        let content = RecordContent(state: KeyState.inProgress, body: KeyBody(fingerprint: fingerprint.stored).bytes)
        let change = Change.insert(try self.key(key).recordID, content, lease: lease.map { Lease($0) })
        guard case .committed(let committed) = try await store.base.commit([change]) else { throw Unexpected() }
        return try #require(committed.fences.first)
    }

    func record(_ key: String = "k") async throws -> Record? {
        try #require(try await store.base.read([try self.key(key).recordID]).records.first)
    }

    /// The fence that stands under the key; one that was never given out if none does.
    func fence(_ key: String = "k") async throws -> Fence { try await record(key)?.fence ?? Fence(rawValue: 0) }

    /// All executions of the operation whose outcome is unknown.
    func unresolved(_ operation: IdempotentOperation<String>, limit: Int = 100) async throws -> [UnknownExecution] {
        var page = try await operation.unresolved(limit: limit)
        var executions = page.executions
        while let next = page.next {
            page = try await operation.unresolved(after: next, limit: limit)
            executions += page.executions
        }
        return executions
    }

    var outcomes: [IdempotencyEvent.Outcome] { events.all.map(\.outcome) }
}

/// A clock that nobody moves, by which no lease is renewed.
enum StillClock {
    static let shared = ManualClock()
}

/// Values in the order in which they came.
final class Log<Value: Sendable>: Sendable {
    private let values = Locked<[Value]>([])
    var all: [Value] { values.withLock { $0 } }
    func append(_ value: Value) { values.withLock { $0.append(value) } }
}

/// A place where a handler stops until the test lets it go on.
final class Gate: Sendable {
    private let arrived = AsyncStream<Void>.makeStream()
    private let opened = AsyncStream<Void>.makeStream()

    /// Called by the handler: says that it is here and waits.
    func pass() async {
        arrived.continuation.yield()
        for await _ in opened.stream { return }
    }

    /// Called by the test: returns when a handler is here.
    func waitForArrival() async { for await _ in arrived.stream { return } }

    func open() { opened.continuation.finish() }
}

func cancelCurrentTask() { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }

struct Unexpected: Error {}
struct ProviderTimeout: Error {}
struct CardRefused: NotApplied, Equatable {}

extension Result {
    /// What was thrown, if that is how it ended.
    var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
