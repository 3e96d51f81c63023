// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// The store as a process sees it, with a model that looks on.
struct WitnessedSagas: WitnessedStore {
    let world: SagaWorld
    let process: ProcessLink

    var base: any RecordStore { world.base }
    var clock: ManualClock { world.clock }

    private static let failure = StoreFailure(operation: "simulated", subject: "link", code: 0)

    /// Makes a call that may be lost; `then` tells the model of it as soon as it is carried out.
    private func call<Answer: Sendable>(
        isChange: Bool = true, _ body: () async throws(StoreError) -> Answer,
        then: (inout SagaModel, Answer) -> Void
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

    func call<Answer: Sendable>(
        isChange: Bool, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        try await call(isChange: isChange, body, then: { _, _ in })
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let (act, number) = (Act.number, process.number)
        let commit = SagaModel.Commit(
            act: act, decidedAt: world.now, changes: changes)
        return try await call(isChange: true) { () throws(StoreError) in
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

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        let act = Act.number
        return try await claim(request) { request throws(StoreError) in
            try await call(isChange: true) { () throws(StoreError) in
                try await base.claim(request)
            } then: { model, answer in
                for record in answer.claimed { model.claimed(record.id.key, act, by: process.number) }
            }
        }
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await call(isChange: true) { () throws(StoreError) in
            try await base.extend(id, fence: fence, lease: lease)
        }
    }
}
