// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Sagas
import Synchronization

/// Holds whoever comes until it is opened, and says how many there are.
final class Turnstile: Sendable {
    private struct State {
        var isOpen = false
        var arrived = 0
        var inside: [CheckedContinuation<Void, Never>] = []
        var observers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Locked(State())

    var arrived: Int { state.withLock { $0.arrived } }

    /// Suspends until the turnstile is open; ignores cancellation.
    func pass() async {
        await withCheckedContinuation { continuation in
            let (isOpen, observers) = state.withLock { state in
                state.arrived += 1
                if !state.isOpen { state.inside.append(continuation) }
                let arrived = state.arrived
                defer { state.observers.removeAll { $0.count <= arrived } }
                return (state.isOpen, state.observers.filter { $0.count <= arrived })
            }
            for observer in observers { observer.continuation.resume() }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let inside = state.withLock { state in
            state.isOpen = true
            defer { state.inside = [] }
            return state.inside
        }
        for continuation in inside { continuation.resume() }
    }

    /// Suspends until so many have come, open or not.
    func waitForArrivals(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.arrived >= count { return true }
                state.observers.append((count, continuation))
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}

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
