// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability
internal import Synchronization

/// The process that carries out the orders: it can be killed at any moment and started again on the same directory.
///
/// It tells its progress on standard output: `recovered N` once, `finished N` for every line, and `retried 1` for every
/// call of the provider that is tried again. It ends at once when its parent does.
struct Worker: Sendable {
    struct Settings: Equatable, Sendable {
        var directory: String
        var socket: String
        var concurrency: Int
        var rate: Int
        var honoursKeys: Bool
    }

    /// The most calls of the provider at a time.
    private static let calls = 16

    let settings: Settings
    let report: @Sendable (String) throws -> Void

    /// Carries out every line that has no outcome yet.
    ///
    /// - Throws: a ``Failure`` if the store cannot be opened or fails.
    func run() async throws {
        let place = Workplace(directory: settings.directory)
        let store: FileRecordStore
        do {
            store = try FileRecordStore(directory: place.records)
        } catch {
            throw Failure("cannot open the store: \(error)", exitCode: .cannotStart)
        }
        do {
            try await carryOut(place, store)
            try await store.close()
        } catch let error as StoreError {
            throw Failure("the store failed: \(error)", exitCode: .failed)
        }
    }

    private func carryOut(_ place: Workplace, _ store: FileRecordStore) async throws {
        let provider = ProviderClient(socket: settings.socket, threads: try BlockingThreads(count: Self.calls))
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: .calls(50), openFor: .milliseconds(200)),
            judge: { $0 is ProviderDeclined ? .success : .failure })
        let saga = CheckoutSaga(
            inventory: Inventory(store: store), carrier: Carrier(store: store), provider: provider,
            honoursKeys: settings.honoursKeys, breaker: breaker,
            onRetry: { event in
                // A supervisor that is gone is noticed elsewhere.
                if event.reason == .retrying { try? report("retried 1") }
            })
        let definition = saga.definition
        let sagas = SagaCoordinator("shop", store: store, definitions: definition)
        let limiter = TokenBucket(
            .perSecond(settings.rate, burst: settings.concurrency), name: "orders", maximumWait: .seconds(3_600),
            maximumWaiters: settings.concurrency)
        let flow = OrderFlow(
            store: store, deadLetters: RecordDeadLetterQueue("orders", store: store), sagas: sagas,
            definition: definition, limiter: limiter)
        let left = try await sagas.statistics().counts
        try report("recovered \(OrderFlow.unfinished.reduce(0) { $0 + left[$1.rawValue, default: 0] })")
        // The sagas that a crash left in the middle go on beside the lines, and when the lines are done nothing is left.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await sagas.run() }
            try await process(OrderReader(.file(place.orders)), flow)
            sagas.shutDown()
            try await group.waitForAll()
        }
    }

    /// Carries out line after line, so many at a time.
    private func process(_ reader: OrderReader, _ flow: OrderFlow) async throws {
        let finished = LineCounter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            var running = 0
            while let line = try reader.next() {
                if running == settings.concurrency {
                    try await group.next()
                    running -= 1
                }
                running += 1
                group.addTask {
                    try await flow.process(line)
                    try report("finished \(finished.increment())")
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Counts the lines that tasks have finished together.
private final class LineCounter: Sendable {
    private let count = Atomic<Int>(0)

    func increment() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
}
