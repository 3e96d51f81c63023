// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting

/// The store as a process sees it, with a model that looks on.
struct WitnessedRecords: WitnessedStore {
    let world: QueueWorld
    let process: ProcessLink

    var base: any RecordStore { world.base }
    var clock: ManualClock { world.clock }

    private static let failure = StoreFailure(operation: "simulated", subject: "link", code: 0)

    /// Makes a call that may be lost; `then` tells the model of it as soon as it is carried out.
    private func call<Answer: Sendable>(
        isChange: Bool = true, _ body: () async throws(StoreError) -> Answer,
        then: (inout QueueModel, Answer) -> Void
    ) async throws(StoreError) -> Answer {
        await world.pause()
        guard process.isAlive else { throw .unavailable(Self.failure) }
        let loss = world.loss()
        if loss != nil { world.tell { _ = $0.losses.insert(Act.number) } }
        switch loss {
        case .unavailable: throw .unavailable(Self.failure)
        case .request: throw isChange ? .outcomeUnknown(Self.failure) : .unavailable(Self.failure)
        case nil, .reply: break
        }
        let answer: Answer
        do throws(StoreError) {
            answer = try await body()
        } catch {
            endWithFiles()
            throw error
        }
        world.tell { then(&$0, answer) }
        endWithFiles()
        await world.pause()
        guard process.isAlive, loss == nil else {
            throw isChange ? .outcomeUnknown(Self.failure) : .unavailable(Self.failure)
        }
        return answer
    }

    /// Everybody is gone when the process is that has the files open.
    private func endWithFiles() {
        if let files = world.files, files.isOver { world.reopenFiles() }
        world.endAllOfBefore()
    }

    func call<Answer: Sendable>(
        isChange: Bool, _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        try await call(isChange: isChange, body, then: { _, _ in })
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        let (act, number) = (Act.number, process.number)
        return try await call(isChange: true) { () throws(StoreError) in
            if let files = world.files { return try await commit(changes, to: files) }
            switch process.commits() {
            case .passes: return try await base.commit(changes)
            case .dies(let applies):
                world.tell { $0.note("process \(number) dies at a commit\(applies ? ", which is in" : "")") }
                guard applies else { throw .unavailable(Self.failure) }
                return try await base.commit(changes)
            }
        } then: { model, answer in
            guard case .committed(let committed) = answer else { return }
            model.committed(changes, committed, act: act, process: number)
        }
    }

    /// Commits changes, and finds out what has become of them if everything ends meanwhile.
    private func commit(
        _ changes: [Change], to files: QueueFiles
    ) async throws(StoreError) -> CommitAnswer {
        let passage = process.commits()
        if case .dies(let applies) = passage {
            world.tell { $0.note("process \(process.number) dies at a commit\(applies ? ", which is in" : "")") }
            if !applies { files.stop(after: world.draw(4), writing: world.draw(600)) }
        }
        let before = files.isDoomed ? try files.standing(changes) : nil
        do throws(StoreError) {
            let answer = try await files.commit(changes)
            if case .dies = passage { files.end() }
            return answer
        } catch {
            guard let before, files.isOver else { throw error }
            world.reopenFiles()
            let committed: CommitAnswer.Committed?
            do { committed = try files.outcome(of: changes, since: before) } catch let failure {
                world.tell { $0.accuse("a commit that is cut short comes to \(failure)") }
                committed = nil
            }
            guard let committed else { throw error }
            return .committed(committed)
        }
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        try await claim(request) { request throws(StoreError) in
            try await call(isChange: true) { () throws(StoreError) in
                try await base.claim(request)
            } then: { model, answer in
                model.claimed(answer.claimed, now: answer.now)
            }
        }
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        let answer = try await call(isChange: true) { () throws(StoreError) in
            try await base.extend(id, fence: fence, lease: lease)
        }
        if case .extended(_, let until) = answer { world.tell { $0.prolonged(fence, until: until) } }
        return answer
    }
}
