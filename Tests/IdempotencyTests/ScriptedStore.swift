// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting
import Synchronization

/// A store that behaves as its script says, call by call, and like the one behind it where the script is silent.
final class ScriptedStore: RecordStoreWrapper {
    enum Operation { case read, commit, claim, extend }

    enum Turn: Sendable {
        case pass
        /// Nothing is done, and the caller is told so.
        case unavailable
        /// The caller is told that the outcome is unknown; the call was carried out or not.
        case unknown(applied: Bool)
        /// Something else happens first.
        case after(@Sendable (any RecordStore) async throws -> Void)
        /// The call is carried out, and something else happens before its answer is there.
        case before(@Sendable (any RecordStore) async throws -> Void)
        /// Something else happens first; then the call is carried out, and its answer is lost.
        case lostAfter(@Sendable (any RecordStore) async throws -> Void)
        /// Claims alone: finds nothing, whatever stands there.
        case empty
    }

    static let failure = StoreFailure(operation: "test", subject: "store", code: 0)

    let base: any RecordStore
    /// What was asked for by claims, whatever became of them.
    let claims = Log<ClaimRequest>()
    private let script = Locked<[Operation: [Turn]]>([:])
    private let calls = Locked<[Operation: Int]>([:])

    init(_ base: any RecordStore) { self.base = base }

    /// What the next calls of that operation do.
    func next(_ operation: Operation, _ turns: Turn...) { script.withLock { $0[operation, default: []] += turns } }

    /// How many calls of that operation there were.
    func count(_ operation: Operation) -> Int { calls.withLock { $0[operation] ?? 0 } }

    private func turn(_ operation: Operation) -> Turn {
        calls.withLock { $0[operation, default: 0] += 1 }
        return script.withLock { script in
            guard script[operation]?.isEmpty == false else { return .pass }
            return script[operation]?.removeFirst() ?? .pass
        }
    }

    private func play<Answer: Sendable>(
        _ operation: Operation, empty: Answer? = nil, _ call: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        switch turn(operation) {
        case .pass: break
        case .unavailable: throw .unavailable(Self.failure)
        case .unknown(let applied):
            if applied { _ = try await call() }
            throw .outcomeUnknown(Self.failure)
        case .after(let intervene):
            do { try await intervene(base) } catch { throw .unavailable(Self.failure) }
        case .before(let intervene):
            let answer = try await call()
            do { try await intervene(base) } catch { throw .unavailable(Self.failure) }
            return answer
        case .lostAfter(let intervene):
            do { try await intervene(base) } catch { throw .unavailable(Self.failure) }
            _ = try await call()
            throw .outcomeUnknown(Self.failure)
        case .empty:
            if let empty { return empty }
        }
        return try await call()
    }

    func read(_ ids: [RecordID]) async throws(StoreError) -> ReadAnswer {
        try await play(.read) { () throws(StoreError) in try await base.read(ids) }
    }

    func commit(_ changes: [Change]) async throws(StoreError) -> CommitAnswer {
        try await play(.commit) { () throws(StoreError) in try await base.commit(changes) }
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimAnswer {
        claims.append(request)
        let empty = ClaimAnswer(now: Timestamp(nanosecondsSince1970: 0), claimed: [])
        return try await play(.claim, empty: empty) { () throws(StoreError) in try await base.claim(request) }
    }

    func extend(_ id: RecordID, fence: Fence, lease: Duration) async throws(StoreError) -> ExtendAnswer {
        try await play(.extend) { () throws(StoreError) in try await base.extend(id, fence: fence, lease: lease) }
    }
}
