// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import RecordStores
import ReliabilityTesting
import Synchronization

/// Calls on an executor and a store that are driven by hand, so that a call can be cancelled at any of its suspensions.
final class CancellationBench: Sendable {
    enum Kind: CaseIterable { case memory, files }

    let executor = ManualExecutor()
    let clock = ManualClock()
    let store: YieldingStore
    /// What the provider has done, and for which call.
    let effects = Log<String>()
    /// The handlers that have begun.
    let begun = Log<String>()
    private let file: FileRecordStore?

    init(_ kind: Kind) throws {
        switch kind {
        case .memory:
            file = nil
            store = YieldingStore(base: InMemoryRecordStore(clock: clock))
        case .files:
            let file = try FileRecordStore(
                directory: "/store", clock: clock, fileSystem: SimulatedDisk(), layout: .small, startsThread: false)
            self.file = file
            store = YieldingStore(base: file)
        }
    }

    func operation(
        _ ifUnknown: UnknownPolicy<String> = .park, ifInFlight: InFlightPolicy = .refuse
    ) -> IdempotentOperation<String> {
        IdempotentOperation(
            "charge", store: store, codec: .string, lease: .seconds(30), ifUnknown: ifUnknown, ifInFlight: ifInFlight,
            clock: clock)
    }

    static func key() throws -> IdempotencyKey { try IdempotencyKey(tenant: "acme", operation: "charge", key: "k") }

    /// Lets the next thing happen: a piece of a task, a step of the store, or else time.
    @discardableResult
    func step() -> Bool {
        if executor.step() || file?.step() == true { return true }
        guard let rest = clock.nextWake else { return false }
        clock.advance(by: rest)
        return true
    }

    /// Runs something to its end.
    func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let pending = executor.start(body)
        while pending.value == nil, step() {}
        guard let value = pending.value else { throw Unexpected() }
        return try value.get()
    }

    func entry() throws -> IdempotencyEntry? {
        try run { [store] in try await RecordIdempotencyStore(store).read(try Self.key()) }
    }

    func hasOrder(_ name: String) throws -> Bool {
        try run { [store] in try await store.read([RecordID("orders", name)]).records.first ?? nil != nil }
    }
}

/// How a handler ends.
enum HandlerEnd: String, CaseIterable, Sendable {
    case value, cancellation, refusal, timeout
}

extension CancellationBench {
    /// A request whose handler suspends, keeps a checkpoint, takes effect, suspends and ends.
    func ask(
        _ operation: IdempotentOperation<String>, _ name: String, _ end: HandlerEnd, pause: Duration? = nil
    ) async throws -> IdempotentResult<String> {
        try await operation.run(try Self.key(), fingerprint: Fingerprint { $0.field("amount", 1) }) { [self] context in
            begun.append(name)
            await Task.yield()
            if end == .cancellation { try Task.checkCancellation() }
            if let pause { try? await clock.sleep(until: clock.now.advanced(by: pause), tolerance: nil) }
            if end == .refusal { throw CardRefused() }
            try? await context.checkpoint("begun")
            try context.alsoCommit([.insert(RecordID("orders", name), RecordContent(state: "new"), lease: nil)])
            effects.append(name)
            await Task.yield()
            if end == .timeout { throw ProviderTimeout() }
            return name
        }
    }
}

/// A store whose every call suspends on the way there and on the way back.
struct YieldingStore: RecordStoreWrapper {
    let base: any RecordStore

    private func suspending<Answer>(
        _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        await Task.yield()
        let answer = try await body()
        await Task.yield()
        return answer
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await suspending { () throws(StoreError) in try await base.read(ids) }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        try await suspending { () throws(StoreError) in try await base.commit(changes) }
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try await suspending { () throws(StoreError) in try await base.claim(request) }
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await suspending { () throws(StoreError) in try await base.extend(id, fence: fence, lease: lease) }
    }
}
