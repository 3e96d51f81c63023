// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// The store as a process sees it, with a model that looks on.
struct WitnessedSagas: RecordStore {
    let world: SagaWorld
    let process: SagaLink

    private var base: InMemoryRecordStore { world.base }
    var durability: Durability { base.durability }

    private static let failure = StoreFailure(operation: "simulated", subject: "link", code: 0)

    /// Makes a call that may be lost; `then` tells the model of it as soon as it is carried out.
    private func call<Answer: Sendable>(
        isChange: Bool = true, _ body: () async throws(StoreError) -> Answer,
        then: (inout SagaModel, Answer) -> Void = { _, _ in }
    ) async throws(StoreError) -> Answer {
        await world.turn(of: process.number)
        guard process.isAlive else { throw .unavailable(Self.failure) }
        let loss = world.loss()
        switch loss {
        case .unavailable: throw .unavailable(Self.failure)
        case .request: throw isChange ? .outcomeUnknown(Self.failure) : .unavailable(Self.failure)
        case nil, .reply: break
        }
        let answer = try await body()
        world.tell { then(&$0, answer) }
        await world.turn(of: process.number)
        guard process.isAlive, loss == nil else {
            throw isChange ? .outcomeUnknown(Self.failure) : .unavailable(Self.failure)
        }
        return answer
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await call(isChange: false) { () throws(StoreError) in try await base.read(ids) }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let (act, number) = (Act.number, process.number)
        let commit = SagaModel.Commit(
            act: act, decidedAt: world.now, changes: changes)
        return try await call { () throws(StoreError) in
            let passage = process.commits()
            if case .dies(let applies) = passage {
                world.tell { $0.note("process \(number) dies at a commit\(applies ? ", which is in" : "")") }
                guard applies else { throw .unavailable(Self.failure) }
            }
            let answer = try await base.commit(changes)
            if case .committed = answer,
                let id = changes.lazy.map(\.id).first(where: { $0.collection == Names.headers })
            {
                let found = try await base.read([id])
                world.tell { $0.committed(commit, found.records[0], now: found.now) }
            }
            return answer
        }
    }

    /// Who waits looks again every second.
    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        let act = Act.number
        let end = world.clock.now.advanced(by: request.waitUpTo)
        var look = request
        look.waitUpTo = .zero
        while true {
            let answer = try await call { [look] () throws(StoreError) in
                try await base.claim(look)
            } then: { model, answer in
                for record in answer.claimed { model.claimed(record.id.key, act, by: process.number) }
            }
            guard answer.claimed.isEmpty, case let left = world.clock.now.duration(to: end), left > .zero else {
                return answer
            }
            do { try await world.clock.sleep(for: min(left, .seconds(1))) } catch { return answer }
        }
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await call { () throws(StoreError) in try await base.extend(id, fence: fence, lease: lease) }
    }

    func scan(
        _ collection: String, state: String?, after position: UInt64?, limit: Int
    ) async throws(StoreError) -> ScanAnswer {
        try await call(isChange: false) { () throws(StoreError) in
            try await base.scan(collection, state: state, after: position, limit: limit)
        }
    }

    func statistics(of collection: String) async throws(StoreError) -> CollectionStatistics {
        try await call(isChange: false) { () throws(StoreError) in try await base.statistics(of: collection) }
    }

    func purgeExpired(limit: Int) async throws(StoreError) -> Int {
        try await call { () throws(StoreError) in try await base.purgeExpired(limit: limit) }
    }

    func close() async throws(StoreError) {}
}
