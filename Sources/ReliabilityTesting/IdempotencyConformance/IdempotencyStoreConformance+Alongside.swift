// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Changes of records alongside an outcome, where the store takes them; records are looked at through conflicts.
extension IdempotencyStoreConformance {
    private static let record = RecordID("conformance", "record")
    private static let other = RecordID("conformance", "other")

    static let alongsideChecks = [
        Check("changes alongside an outcome are in with it") { bench in
            guard bench.store.takesChanges else { return }
            let content = RecordContent(state: "new", body: [1, 2])
            let key = try bench.key()
            try await bench.complete(
                try await bench.acquire(key), as: .value([5]),
                alongside: [.insert(record, content), .assert(other, nil)])
            guard case .completed(.value([5]), _, _) = try await bench.entry(key).state else {
                throw Violation("an outcome with changes is not in")
            }
            let standing = try await standing(bench, record)
            try require(standing?.state, is: "new", "the state of a record that was inserted alongside")
            try require(standing?.body, is: [1, 2], "the body of a record that was inserted alongside")
            let fence = standing?.fence ?? Fence(rawValue: 0)
            try await bench.complete(
                try await bench.acquire(try bench.key("next")),
                alongside: [.delete(record, expecting: fence), .insert(other, content)])
            try require(try await isFree(bench, record), "a record that was deleted alongside stands")
            try require(!(try await isFree(bench, other)), "a record that was inserted alongside is absent")
        },
        Check("a conflict alongside tells its place, and neither the outcome nor a change is in") { bench in
            guard bench.store.takesChanges else { return }
            let plain = RecordContent(state: "plain")
            try await bench.complete(
                try await bench.acquire(try bench.key("first")), alongside: [.insert(record, plain)])
            let standing = try await standing(bench, record)
            let key = try bench.key()
            let execution = try await bench.acquire(key)
            let before = try await bench.entry(key)
            let free = RecordID("conformance", "free")
            for place in 0..<3 {
                var changes = [Change.insert(other, plain), .assert(free, nil)]
                changes.insert(.insert(record, plain), at: place)
                let answer = try await bench.store.complete(
                    execution, as: .value([5]), retention: IdempotencyBench.retention, alongside: changes)
                guard case .conflict(let conflict) = answer else {
                    throw Violation("a change that cannot be was answered \(answer)")
                }
                try require(conflict.index, is: place, "the place of the conflict")
                try require(conflict.standing, is: standing, "what stands at the conflict")
                try require(try await bench.entry(key), is: before, "the execution after a conflict")
                try require(try await isFree(bench, other), "a change beside a conflict is in")
            }
            try await bench.complete(execution, alongside: [.insert(other, plain)])
        },
        Check("no change is in alongside a completion that is lost") { bench in
            guard bench.store.takesChanges else { return }
            let plain = RecordContent(state: "plain")
            for loss in IdempotencyBench.losses {
                let execution = try await loss.make(bench, try bench.key(loss.name))
                let before = try await bench.store.read(execution.key)
                // What stands there is told first, whatever the changes would find.
                for changes in [[Change.insert(record, plain)], [.assert(record, Fence(rawValue: 1))]] {
                    let answer = try await bench.store.complete(
                        execution, as: .value([5]), retention: IdempotencyBench.retention, alongside: changes)
                    try require(answer, is: .lost(before), "the answer for an execution that \(loss.name)")
                    try require(try await isFree(bench, record), "a change is in for an execution that \(loss.name)")
                }
            }
        },
    ]

    /// The record of that name, as a conflict of an execution of no account tells it.
    private static func standing(_ bench: IdempotencyBench, _ id: RecordID) async throws -> Record? {
        let execution = try await bench.acquire(try bench.key("look", operation: "look"))
        let answer = try await bench.store.complete(
            execution, as: .value([]), retention: IdempotencyBench.retention,
            alongside: [.assert(id, Fence(rawValue: 0))])
        try await bench.release(execution)
        guard case .conflict(let conflict) = answer else { throw Violation("a false assert was answered \(answer)") }
        return conflict.standing
    }

    private static func isFree(_ bench: IdempotencyBench, _ id: RecordID) async throws -> Bool {
        try await standing(bench, id) == nil
    }
}
