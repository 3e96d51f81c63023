// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
internal import ReliabilityCore
internal import Synchronization

/// The way from every process to the one store: there may be none at its end, and requests and replies get lost on it.
final class StoreLink: Sendable {
    private struct State {
        var base: (any RecordStore)?
        /// Who has the store open.
        var process: ProcessIdentity
        var lossChance: Int64
    }

    enum Loss { case unavailable, request, reply, full }

    private let state: Locked<State>
    private let random: RandomSource
    let gates: Gates

    init(_ random: RandomSource, _ gates: Gates, process: ProcessIdentity) {
        self.random = random
        self.gates = gates
        state = Locked(State(process: process, lossChance: 0))
    }

    var base: (any RecordStore)? {
        get { state.withLock { $0.base } }
        set { state.withLock { $0.base = newValue } }
    }

    var process: ProcessIdentity {
        get { state.withLock { $0.process } }
        set { state.withLock { $0.process = newValue } }
    }

    /// In how many cases of a hundred something is lost.
    var lossChance: Int64 {
        get { state.withLock { $0.lossChance } }
        set { state.withLock { $0.lossChance = newValue } }
    }

    func loss() -> Loss? {
        guard random.draw(upTo: 99) < lossChance else { return nil }
        return [.unavailable, .request, .reply, .full][Int(random.draw(upTo: 3))]
    }
}

/// The record store as a process sees it over its link.
package struct LinkedRecords: RecordStore {
    let link: StoreLink
    let process: Liveness

    package var durability: Durability { link.base?.durability ?? .process }

    private static let failure = StoreFailure(operation: "simulated", subject: "link", code: 0)

    private func call<Answer: Sendable>(
        isGrowth: Bool = false, _ body: (any RecordStore) async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        await link.gates.pass(process, chance: 5)
        guard process.isAlive, let base = link.base else { throw .unavailable(Self.failure) }
        switch link.loss() {
        case nil: break
        case .unavailable: throw .unavailable(Self.failure)
        case .full: throw isGrowth ? .full(Self.failure) : .unavailable(Self.failure)
        case .request: throw .outcomeUnknown(Self.failure)
        case .reply:
            _ = try await body(base)
            throw .outcomeUnknown(Self.failure)
        }
        let answer = try await body(base)
        await link.gates.pass(process, chance: 5)
        return answer
    }

    /// The holder is the process that has the store open, whoever runs the simulation.
    private func own(_ lease: Lease) -> Lease {
        Lease(lease.duration, holder: Holder(nonce: lease.holder.nonce, process: link.process))
    }

    package func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await call { base throws(StoreError) in try await base.read(ids) }
    }

    package func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let changes = changes.map { change in
            guard case .insert(let id, let content, let lease?) = change else { return change }
            return .insert(id, content, lease: own(lease))
        }
        let isGrowth = changes.contains { if case .insert = $0 { true } else { false } }
        return try await call(isGrowth: isGrowth) { base throws(StoreError) in try await base.commit(changes) }
    }

    package func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        var request = request
        request.lease = own(request.lease)
        return try await call { [request] base throws(StoreError) in try await base.claim(request) }
    }

    package func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await call { base throws(StoreError) in try await base.extend(id, fence: fence, lease: lease) }
    }

    package func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await call { base throws(StoreError) in
            try await base.scan(collection, state: state, after: position, limit: limit)
        }
    }

    package func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await call { base throws(StoreError) in try await base.statistics(of: collection) }
    }

    package func purgeExpired(limit: Int) async throws(StoreError) -> Int {
        try await call { base throws(StoreError) in try await base.purgeExpired(limit: limit) }
    }

    package func close() async throws(StoreError) {}
}
