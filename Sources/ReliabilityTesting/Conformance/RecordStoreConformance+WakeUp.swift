// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Promise 10.
extension RecordStoreConformance {
    static let wakeUpChecks = [
        Check("a claim that need not wait does not", promise: 10) { bench in
            try await bench.insert(bench.id("a"), .due())
            let answer = try await bench.waiter()().get()
            try require(answer.claimed.map(\.id.key), is: ["a"], "what a claim that may wait gets")
            let none = try await bench.claimDue()
            try require(none.claimed, are: [], "what a claim that may not wait gets")
        },
        Check("a waiting claim is woken by the commit that makes a record due", promise: 10) {
            try await wokenByCommits($0)
        },
        Check("a waiting claim is woken when the head before a due record goes", promise: 10) { bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            for way in ["is deleted", "is moved to another key", "is let go", "expires at once"] {
                let content = RecordContent(state: "x", orderKey: "k")
                let fence = try await bench.insert(a, content, lease: Lease(.seconds(7_000)))
                try await bench.insert(b, .due(order: "k"))
                let isLetGo = way == "is let go"
                try await bench.requireWoken(with: isLetGo ? "a" : "b", "when the head \(way)") {
                    switch way {
                    case "is deleted": try await bench.delete(a, fence)
                    case "is moved to another key":
                        try await bench.replace(a, fence, with: RecordContent(state: "x", orderKey: "l"))
                    case "is let go": try await bench.replace(a, fence, with: .due(order: "k"), lease: .end)
                    default: try await bench.replace(a, fence, with: .due(expires: .after(.zero)), lease: .end)
                    }
                }
                for record in try await bench.scanAll() { try await bench.delete(record.id, record.fence) }
            }
        },
        Check("a waiting claim is woken by the due time, not before and not after", promise: 10) { bench in
            try await bench.insert(bench.id("a"), .due(after: .seconds(10)))
            try await bench.insert(bench.id("b"), .due(after: .seconds(20)))
            let due = try await bench.record(bench.id("a")).dueAt
            try await bench.requireWoken(
                with: "a", at: due, "at its due time",
                after: [
                    { bench.advance(by: .nanoseconds(9_999_999_999)) }, { bench.advance(by: .nanoseconds(1)) },
                ])
        },
        Check("a waiting claim is woken by an earlier due time that comes up while it waits", promise: 10) { bench in
            let start = try await bench.now()
            let fence = try await bench.insert(bench.id("a"), .due(after: .seconds(1_000)))
            try await bench.requireWoken(
                with: "b", at: start.advanced(by: .seconds(10)), "that is earlier",
                after: [
                    { try await bench.insert(bench.id("b"), .due(after: .seconds(10))) },
                    { bench.advance(by: .seconds(10)) },
                ])
            try await bench.requireWoken(
                with: "a", at: start.advanced(by: .seconds(15)), "that moved forward",
                after: [
                    { try await bench.replace(bench.id("a"), fence, with: .due(after: .seconds(5))) },
                    { bench.advance(by: .seconds(5)) },
                ])
        },
        Check("a waiting claim is woken by the end of a lease, also one that was shortened", promise: 10) { bench in
            let id = bench.id("a")
            let start = try await bench.now()
            try await bench.insert(id, .due(), lease: Lease(.seconds(10)))
            try await bench.requireWoken(with: "a", at: start.advanced(by: .seconds(10)), "at the end of a lease") {
                bench.advance(by: .seconds(10))
            }
            let fence = try await bench.record(id).fence
            try await bench.requireWoken(
                with: "a", at: start.advanced(by: .seconds(12)), "after a shorter extend",
                after: [
                    { _ = try await bench.store.extend(id, fence: fence, lease: .seconds(2)) },
                    { bench.advance(by: .seconds(2)) },
                ])
        },
        Check("a waiting claim is not given a record whose lease was extended meanwhile", promise: 10) { bench in
            let id = bench.id("a")
            let start = try await bench.now()
            let fence = try await bench.insert(id, .due(), lease: Lease(.seconds(10)))
            try await bench.requireWoken(
                with: "a", at: start.advanced(by: .seconds(25)), "after an extend",
                after: [
                    { bench.advance(by: .seconds(5)) },
                    { _ = try await bench.store.extend(id, fence: fence, lease: .seconds(20)) },
                    { bench.advance(by: .seconds(5)) }, { bench.advance(by: .seconds(15)) },
                ])
        },
        Check("a waiting claim is woken by the expiry of the head before a due record", promise: 10) { bench in
            let start = try await bench.now()
            try await bench.insert(
                bench.id("a"), RecordContent(state: "x", orderKey: "k", expires: .after(.seconds(10))))
            try await bench.insert(bench.id("b"), .due(order: "k"))
            try await bench.requireWoken(with: "b", at: start.advanced(by: .seconds(10)), "when the head expires") {
                bench.advance(by: .seconds(10))
            }
        },
        Check("a claim waits no longer than it was told to", promise: 10) { bench in
            let start = try await bench.now()
            try await bench.insert(bench.id("a"), .due(after: .seconds(31)))
            let answers = try await bench.answers(
                of: [bench.waiter(upTo: .seconds(30))],
                once: [
                    { bench.advance(by: .nanoseconds(29_999_999_999)) },
                    { try await bench.insert(bench.id("elsewhere", in: "other"), .due()) },
                    { bench.advance(by: .nanoseconds(1)) },
                ])
            let answer = try answers[0].get()
            try require(answer.claimed, are: [], "what a claim gets whose wait has ended")
            try require(answer.now, is: start.advanced(by: .seconds(30)), "the end of the wait")
            try require(answer.nextDueIn, is: .seconds(1), "nextDueIn after a wait")
        },
        Check("of two waiting claims exactly one gets the one record", promise: 10) { bench in
            let start = try await bench.now()
            let answers = try await bench.answers(
                of: [bench.waiter(upTo: .seconds(30)), bench.waiter(upTo: .seconds(30))],
                once: [{ try await bench.insert(bench.id("a"), .due()) }],
                then: { bench.advance(by: .seconds(30)) })
            let (first, second) = (try answers[0].get(), try answers[1].get())
            try require(first.claimed.map(\.id.key), is: ["a"], "what the first of two waiting claims gets")
            try require(first.now, is: start, "when the first of two waiting claims gets it")
            try require(second.claimed, are: [], "what the other gets")
            try require(second.now, is: start.advanced(by: .seconds(30)), "when the other gives up")
        },
        Check("every waiting claim is woken when there is something for each", promise: 10) { bench in
            let waiters = (0..<8).map { bench.waiter(in: $0 % 2 == 0 ? "even" : "odd") }
            let answers = try await bench.answers(
                of: waiters,
                once: [
                    {
                        let ids = (0..<8).map { bench.id("\($0)", in: $0 % 2 == 0 ? "even" : "odd") }
                        _ = try await bench.store.commit(ids.map { .insert($0, .due()) })
                    }
                ])
            let keys = try answers.flatMap { try $0.get().claimed.map(\.id.key) }
            try require(keys.sorted(), is: (0..<8).map { "\($0)" }, "what eight waiting claims get")
        },
    ]

    private static func wokenByCommits(_ bench: ConformanceBench) async throws {
        let id = bench.id("a")
        let now = try await bench.now()
        try await bench.requireWoken(with: "a", at: now, "of an insert") { try await bench.insert(id, .due()) }
        let held = try await bench.record(id)
        try await bench.requireWoken(with: "a", at: now, "of a replace that lets go") {
            try await bench.replace(id, held.fence, with: .due(), lease: .end)
        }
        let fence = try await bench.replace(id, try await bench.record(id).fence, lease: .end)
        try await bench.requireWoken(with: "a", at: now, "of a replace that sets the due time") {
            try await bench.replace(id, fence, with: .due(after: .zero))
        }
        try await bench.requireWoken(with: "b", at: now, "of the last change of a batch over collections") {
            try await bench.commit(
                .insert(bench.id("x", in: "other"), .plain), .assert(bench.id("none"), nil),
                .insert(bench.id("b"), .due()))
        }
        try await bench.requireWoken(with: "c", in: "other", at: now, "in the right collection") {
            try await bench.insert(bench.id("c"), .due())
            try await bench.insert(bench.id("c", in: "other"), .due())
        }
    }
}
