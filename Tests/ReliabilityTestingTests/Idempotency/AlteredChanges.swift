// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting

/// Idempotency keys in a record store whose changes alongside go wrong in one way.
struct AlteredChanges: IdempotencyStoreWrapper {
    enum Bug: String, CaseIterable, Sendable, CustomStringConvertible {
        case changesAreDropped, changesComeFirst, changesComeLater, placesCountTheKey

        /// The check that has to find it.
        var check: String {
            switch self {
            case .changesAreDropped: "changes alongside an outcome are in with it"
            case .changesComeFirst: "no change is in alongside a completion that is lost"
            case .changesComeLater, .placesCountTheKey:
                "a conflict alongside tells its place, and neither the outcome nor a change is in"
            }
        }

        /// The case's name in words, and the check.
        var description: String {
            "\(rawValue.reduce(into: "") { $0 += $1.isUppercase ? " \($1.lowercased())" : String($1) }): \(check)"
        }
    }

    private let keys: RecordIdempotencyStore<InMemoryRecordStore>
    private let bug: Bug

    init(_ clock: ManualClock, _ bug: Bug) {
        keys = RecordIdempotencyStore(InMemoryRecordStore(clock: clock))
        self.bug = bug
    }

    var base: any IdempotencyStore { keys }

    func complete(
        _ execution: IdempotencyExecution, as outcome: IdempotencyOutcome, retention: Duration,
        alongside changes: [Change]
    ) async throws(StoreError) -> IdempotencySettleAnswer {
        func complete(_ changes: [Change]) async throws(StoreError) -> IdempotencySettleAnswer {
            try await base.complete(execution, as: outcome, retention: retention, alongside: changes)
        }
        guard !changes.isEmpty else { return try await complete([]) }
        switch bug {
        case .changesAreDropped: return try await complete([])
        case .changesComeFirst:
            if case .conflict(let conflict) = try await keys.records.commit(changes) { return .conflict(conflict) }
            return try await complete([])
        case .changesComeLater:
            let answer = try await complete([])
            guard case .settled = answer else { return answer }
            if case .conflict(let conflict) = try await keys.records.commit(changes) { return .conflict(conflict) }
            return answer
        case .placesCountTheKey:
            let answer = try await complete(changes)
            guard case .conflict(let told) = answer else { return answer }
            return .conflict(.init(now: told.now, index: told.index + 1, standing: told.standing))
        }
    }
}
