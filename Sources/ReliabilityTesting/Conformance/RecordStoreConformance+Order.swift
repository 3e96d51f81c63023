// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Promise 5.
extension RecordStoreConformance {
    static let orderChecks = [
        Check("of an order key only the record with the lowest position is handed out", promise: 5) { bench in
            let keys = ["c", "a", "b"]
            for key in keys { try await bench.insert(bench.id(key), .due(order: "k")) }
            let positions = try await bench.scanAll().map(\.position)
            try require(positions == positions.sorted(), "positions \(positions) do not grow")
            for key in keys {
                let answer = try await bench.requireDue([key], "from one order key")
                try await bench.requireDue([], "while the head is held")
                try await bench.delete(bench.id(key), answer.claimed[0].fence)
            }
        },
        Check("a head blocks its key while it is held, delayed or never due", promise: 5) { bench in
            let heads: [(String, RecordContent, Lease?)] = [
                ("held", .due(order: "held"), Lease(.seconds(60))),
                ("delayed", .due(after: .seconds(60), order: "delayed"), nil),
                ("never due", RecordContent(state: "x", orderKey: "never due"), nil),
                ("held and never due", RecordContent(state: "x", orderKey: "held and never due"), Lease(.seconds(60))),
            ]
            for (name, content, lease) in heads {
                try await bench.insert(bench.id("\(name), head"), content, lease: lease)
                try await bench.insert(bench.id("\(name), next"), .due(order: name))
            }
            try await bench.requireDue([], "behind heads that block")
            for (name, _, _) in heads {
                try await bench.requireUnclaimable(bench.id("\(name), next"), "behind a head that is \(name)")
            }
            bench.advance(by: .seconds(60))
            try await bench.requireDue(["held, head", "delayed, head"], "when a lease has ended and a delay is over")
        },
        Check("a claim by name gets the head and is refused the rest", promise: 5) { bench in
            for key in ["a", "b", "c"] { try await bench.insert(bench.id(key), .due(order: "k")) }
            try await bench.requireUnclaimable(bench.id("b"), "behind a free head")
            let before = try await bench.record(bench.id("b"))
            let answer = try await bench.claim(bench.id("c"), bench.id("b"), bench.id("a"))
            try require(answer.claimed.map(\.id.key), is: ["a"], "what a claim of a line by name gets")
            try require(answer.standing.map(\.id.key).sorted(), is: ["b", "c"], "what stands behind the head")
            try require(try await bench.record(bench.id("b")), is: before, "a record that was refused")
        },
        Check("deleting the head promotes the next in the same commit", promise: 5) { bench in
            for key in ["a", "b", "c", "d"] { try await bench.insert(bench.id(key), .due(order: "k")) }
            let b = try await bench.record(bench.id("b")).fence
            try await bench.delete(bench.id("b"), b)
            try await bench.requireUnclaimable(bench.id("c"), "after a delete behind the head")
            let a = try await bench.record(bench.id("a")).fence
            try await bench.commit(.insert(bench.id("e"), .due(order: "k")), .delete(bench.id("a"), expecting: a))
            try await bench.requireDue(["c"], "when the head was deleted")
        },
        Check("moving the head to another key or to none promotes the next in the same commit", promise: 5) { bench in
            for (line, target) in [("k", nil), ("l", "m")] as [(String, String?)] {
                let (head, next) = (bench.id("head of \(line)"), bench.id("next of \(line)"))
                let fence = try await bench.insert(head, .due(order: line))
                try await bench.insert(next, .due(order: line))
                try await bench.replace(head, fence, with: .due(order: target))
                try await bench.requireDue([head.key, next.key], "when the head of \(line) was moved")
            }
        },
        Check("the expiry of the head promotes the next", promise: 5) { bench in
            try await bench.insert(
                bench.id("a"), RecordContent(state: "x", orderKey: "k", expires: .after(.seconds(5))))
            try await bench.insert(bench.id("b"), .due(order: "k"))
            bench.advance(by: .nanoseconds(4_999_999_999))
            try await bench.requireDue([], "a nanosecond before the head expires")
            try await bench.requireUnclaimable(bench.id("b"), "a nanosecond before the head expires")
            bench.advance(by: .nanoseconds(1))
            try await bench.requireDue(["b"], "when the head has expired")
        },
        Check("a record keeps its place through replaces and claims", promise: 5) { bench in
            let (a, b) = (bench.id("a"), bench.id("b"))
            let inserted = try await bench.insert(a, .due(order: "k"))
            try await bench.insert(b, .due(order: "k"))
            let position = try await bench.record(a).position
            var fence = try await bench.replace(a, inserted, with: .due(order: "k"))
            try await bench.requireUnclaimable(b, "behind a head that was replaced")
            for round in 0..<3 {
                let held = try await bench.requireDue(["a"], "in round \(round) of retries of the head").claimed[0]
                try require(held.position, is: position, "the position of a record that was claimed")
                fence = try await bench.replace(a, held.fence, with: .due(after: .seconds(5), order: "k"), lease: .end)
                try await bench.requireDue([], "while the head waits for its retry")
                bench.advance(by: .seconds(5))
            }
            try require(try await bench.record(a).position, is: position, "the position after replaces")
            try await bench.delete(a, fence)
            try await bench.requireDue(["b"], "when the head is done")
        },
        Check("an order key that is taken off and put back gives the old place again", promise: 5) { bench in
            let ids = ["a", "b", "c"].map { bench.id($0) }
            var fences: [Fence] = []
            for id in ids { fences.append(try await bench.insert(id, .due(order: "k"))) }
            let free = try await bench.replace(ids[0], fences[0], with: .due())
            let b = try await bench.hold(ids[1], lease: Lease(.seconds(5)))
            try await bench.replace(ids[0], free, with: .due(order: "k"))
            _ = try await bench.hold(ids[0], lease: Lease(.seconds(1)))
            bench.advance(by: .seconds(5))
            try await bench.requireUnclaimable(ids[1], "behind a head that came back")
            // Its late holder may still settle it.
            try await bench.delete(ids[1], b.fence)
            let answer = try await bench.requireDue(["a"], "from a line with its old head")
            try await bench.delete(ids[0], answer.claimed[0].fence)
            try await bench.requireDue(["c"], "after the old head is done")
        },
        Check("a record that moves into a line stands there by its position", promise: 5) { bench in
            let fence = try await bench.insert(bench.id("early"), .due())
            let late = bench.id("late")
            try await bench.insert(bench.id("first"), .due(order: "k"))
            let lateFence = try await bench.insert(late, .due())
            try await bench.replace(bench.id("early"), fence, with: .due(order: "k"))
            try await bench.replace(late, lateFence, with: .due(order: "k"))
            try await bench.requireUnclaimable(bench.id("first"), "behind an earlier record that moved in")
            try await bench.requireUnclaimable(late, "behind two others")
            try await bench.requireDue(["early"], "from the line")
        },
        Check("order keys do not hinder each other, other collections or records without one", promise: 5) { bench in
            try await bench.insert(bench.id("1"), .due(order: "k"))
            try await bench.insert(bench.id("2"), .due(order: "l"))
            try await bench.insert(bench.id("3"), .due())
            try await bench.insert(bench.id("4"), .due(order: "k"))
            try await bench.insert(bench.id("5"), .due())
            try await bench.insert(bench.id("6", in: "other"), .due(order: "k"))
            try await bench.requireDue(["1", "2", "3", "5"], "from several order keys")
            try await bench.requireDue(["6"], in: "other", "from another collection")
        },
        Check("a head that is let go is handed out again before the next", promise: 5) { bench in
            for key in ["a", "b"] { try await bench.insert(bench.id(key), .due(order: "k")) }
            let held = try await bench.hold(bench.id("a"))
            try await bench.replace(bench.id("a"), held.fence, with: .due(order: "k"), lease: .end)
            try await bench.requireDue(["a"], "after the head was let go")
        },
    ]
}
