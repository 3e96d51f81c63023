// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Sagas
import Synchronization

/// A store in whose calls something else happens: before one of them, or between its effect and its answer.
final class MeddledStore: RecordStoreWrapper {
    /// A call, and which of its sort it is, counted from 1.
    enum Moment: Hashable, Sendable {
        case beforeCommit(Int)
        case afterCommit(Int)
        case beforeRead(Int)
        case beforeClaim(Int)
        case beforeExtend(Int)
    }

    private struct State {
        var commits = 0
        var reads = 0
        var claims = 0
        var extends = 0
    }

    let base: any RecordStore
    private let meddle: @Sendable (Moment) async throws(StoreError) -> Void
    private let state = Locked(State())

    /// - Parameter meddle: What happens then; what it throws is what the call throws.
    init(_ base: any RecordStore, _ meddle: @escaping @Sendable (Moment) async throws(StoreError) -> Void) {
        self.base = base
        self.meddle = meddle
    }

    static let failure = StoreFailure(operation: "call", subject: "test", code: 0)

    private func count(_ path: WritableKeyPath<State, Int>) -> Int {
        state.withLock { state in
            state[keyPath: path] += 1
            return state[keyPath: path]
        }
    }

    var commits: Int { state.withLock { $0.commits } }
    var claims: Int { state.withLock { $0.claims } }
    var extends: Int { state.withLock { $0.extends } }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let number = count(\.commits)
        try await meddle(.beforeCommit(number))
        let answer = try await base.commit(changes)
        try await meddle(.afterCommit(number))
        return answer
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await meddle(.beforeRead(count(\.reads)))
        return try await base.read(ids)
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try await meddle(.beforeClaim(count(\.claims)))
        return try await base.claim(request)
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await meddle(.beforeExtend(count(\.extends)))
        return try await base.extend(id, fence: fence, lease: lease)
    }
}

/// Runs coordinators while something else is done, and shuts them down after it.
func running<Success: Sendable>(
    _ coordinators: SagaCoordinator..., during body: () async throws -> Success
) async throws -> Success {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for coordinator in coordinators { group.addTask { try await coordinator.run() } }
        let value = try await body()
        for coordinator in coordinators { coordinator.shutDown() }
        try await group.waitForAll()
        return value
    }
}

/// Runs a coordinator until it is let go by cancelling its task.
func cancelling(_ coordinator: SagaCoordinator, when body: @escaping @Sendable () async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
        group.addTask { try? await coordinator.run() }
        await body()
        group.cancelAll()
    }
}

extension Bench {
    /// Drives what is due, again and again while time goes by, until nothing goes on by itself any more.
    @discardableResult
    func finish(
        _ id: String = "s1", on coordinator: SagaCoordinator, step: Duration = .seconds(60), turns: Int = 30
    ) async throws -> SagaResult? {
        for _ in 0..<turns {
            _ = try await coordinator.recover()
            if let result = try await coordinator.status(id)?.result { return result }
            clock.advance(by: step)
        }
        return nil
    }

    /// The header record of a saga.
    func header(_ id: String = "s1") async throws -> Record? {
        try await store.read([RecordID("sagas/shop", id)]).records[0]
    }

    /// Everything that stands in the store of the sagas.
    func everything() async throws -> [Record] {
        var records: [Record] = []
        for collection in ["sagas/shop", "saga-log/shop", "saga-mail/shop"] {
            records += try await store.scan(collection, state: nil, after: nil, limit: 1_000).records
        }
        return records
    }
}

extension SagaResult {
    var isCompensated: Bool { if case .compensated = self { true } else { false } }
    var stuck: SagaStuck? { if case .stuck(let stuck) = self { stuck } else { nil } }
}
