// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Retrying
import Synchronization
import Testing
import WorkQueues

struct Declined: Error {}
struct Unprocessable: Permanent {}
struct Busy: Rejection { var retryAfter: Duration? }
struct Overloaded: RetryAdvising { var retryAfter: Duration? }

/// A store on a clock of the test's, whose commits can be made to fail, with the events of its queues.
final class Bench: Sendable {
    private let directory: TemporaryDirectory
    let clock = ManualClock()
    let store: FailingStore
    private let log = Locked(Log())

    private struct Log {
        var events: [String] = []
        var waiters: [(event: String, continuation: CheckedContinuation<Void, Never>)] = []
    }

    init(_ kind: StoreKind) throws {
        directory = try TemporaryDirectory()
        store = FailingStore(try kind.make(clock, directory))
    }

    func queue(
        _ name: String = "jobs", maximumFailures: Int = 5, maximumCrashes: Int = 3,
        backoff: Backoff = .constant(.seconds(10)), maximumDepth: Int? = nil,
        parksOrderKeys: Bool = false, longestHold: Duration = .seconds(12 * 3_600), store: (any RecordStore)? = nil
    ) -> WorkQueue {
        WorkQueue(
            name, store: store ?? self.store, maximumFailures: maximumFailures, maximumCrashes: maximumCrashes,
            backoff: backoff,
            parksOrderKeys: parksOrderKeys, maximumDepth: maximumDepth, longestHold: longestHold, clock: clock
        ) { event in
            self.add("\("\(event.kind)".prefix { $0 != "(" }) \(event.id)")
        }
    }

    private func add(_ event: String) {
        let awaited = log.withLock { log in
            log.events.append(event)
            defer { log.waiters.removeAll { $0.event == event } }
            return log.waiters.filter { $0.event == event }
        }
        for waiter in awaited { waiter.continuation.resume() }
    }

    /// Suspends until the event has come since they were taken last.
    func waitFor(_ event: String) async {
        await withCheckedContinuation { continuation in
            let hasCome = log.withLock { log in
                if log.events.contains(event) { return true }
                log.waiters.append((event, continuation))
                return false
            }
            if hasCome { continuation.resume() }
        }
    }

    /// The events since this was asked last.
    func takeEvents() -> [String] {
        log.withLock { log in
            defer { log.events = [] }
            return log.events
        }
    }

    func put(_ ids: String..., to queue: WorkQueue, orderKey: String? = nil) async throws {
        for id in ids { try await queue.enqueue(NewWorkItem(id: id, payload: Array(id.utf8), orderKey: orderKey)) }
        _ = takeEvents()
    }
}

extension WorkQueue {
    /// The names of what is handed out now; nothing of it is settled.
    func names(limit: Int = 100, lease: Duration = .seconds(30)) async throws -> [String] {
        try await receive(limit: limit, lease: lease).map(\.item.id)
    }

    /// The only item that is due.
    func one(
        lease: Duration = .seconds(30), at location: SourceLocation = #_sourceLocation
    ) async throws -> Delivery {
        let deliveries = try await receive(limit: 2, lease: lease)
        try #require(deliveries.count == 1, sourceLocation: location)
        return deliveries[0]
    }
}

/// Runs a consumer beside `body`, then shuts it down; throws what its run throws.
func with<Message: Sendable>(
    _ consumer: Consumer<Message>, _ body: @Sendable () async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await consumer.run() }
        do {
            try await body()
        } catch {
            consumer.shutDown()
            throw error
        }
        consumer.shutDown()
        try await group.waitForAll()
    }
}
