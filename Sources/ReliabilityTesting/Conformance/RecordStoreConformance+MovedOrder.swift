// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Lines that records leave and join by a move, and who is woken by it.
extension RecordStoreConformance {
    static let movedOrderChecks = [
        Check("moving the head to another name promotes the next in the same commit", promise: 5) { bench in
            for (line, target) in [("k", bench.id("new")), ("l", bench.id("new", in: "other"))] {
                let (head, next) = (bench.id("head of \(line)"), bench.id("next of \(line)"))
                let fence = try await bench.insert(head, .due(order: line), lease: Lease(.seconds(60)))
                try await bench.insert(next, .due(order: line))
                try await bench.requireDue([], "behind a head that is held")
                try await bench.move(head, to: target, fence, with: RecordContent(state: "moved"), lease: .end)
                try await bench.requireDue([next.key], "when the head of \(line) has another name")
            }
        },
        Check("a record that is moved within its line keeps its place", promise: 5) { bench in
            let ids = ["a", "b", "c"].map { bench.id($0) }
            var fences: [Fence] = []
            for id in ids { fences.append(try await bench.insert(id, .due(order: "k"))) }
            try await bench.move(ids[1], to: bench.id("second"), fences[1], with: .due(order: "k"))
            try await bench.move(ids[0], to: bench.id("first"), fences[0], with: .due(order: "k"))
            for key in ["first", "second", "c"] {
                let head = try await bench.requireDue([key], "from a line with new names").claimed[0]
                try await bench.delete(head.id, head.fence)
            }
        },
        Check("a moved record joins a line by its old position, also before its head", promise: 5) { bench in
            let (early, late) = (bench.id("early"), bench.id("late"))
            let fence = try await bench.insert(early, .due())
            for key in ["first", "second"] { try await bench.insert(bench.id(key, in: "line"), .due(order: "k")) }
            let lateFence = try await bench.insert(late, .due())
            let head = try await bench.requireDue(["first"], in: "line", "before a move").claimed[0]
            let free = try await bench.replace(head.id, head.fence, with: .due(order: "k"), lease: .end)
            try await bench.move(
                early, to: bench.id("early", in: "line"), fence, with: .due(after: .seconds(5), order: "k"))
            try await bench.move(late, to: bench.id("late", in: "line"), lateFence, with: .due(order: "k"))
            try await bench.requireDue([], in: "line", "behind a moved head that is not due")
            try await bench.requireUnclaimable(head.id, "behind a moved head")
            try await bench.delete(head.id, free)
            bench.advance(by: .seconds(5))
            for key in ["early", "second", "late"] {
                let head = try await bench.requireDue([key], in: "line", "from a line that two have joined").claimed[0]
                try await bench.delete(head.id, head.fence)
            }
        },
        Check("a held record that is moved before a head blocks its line until its lease ends", promise: 5) { bench in
            let fence = try await bench.insert(bench.id("a"), .due(), lease: Lease(.seconds(60)))
            try await bench.insert(bench.id("b", in: "line"), .due(order: "k"))
            let moved = try await bench.move(
                bench.id("a"), to: bench.id("a", in: "line"), fence, with: .due(order: "k"))
            try await bench.requireDue([], in: "line", "behind a moved head that is held")
            bench.advance(by: .seconds(60))
            let head = try await bench.requireDue(["a"], in: "line", "when its lease has ended").claimed[0]
            try require(head.fence > moved, "a claim gave \(head.fence) after a move gave \(moved)")
            try await bench.delete(head.id, head.fence)
            try await bench.requireDue(["b"], in: "line", "when the moved head is gone")
        },
        Check("behind any number of heads that have expired the first that stands is handed out", promise: 5) { bench in
            for named in [false, true] {
                let name = named ? "named" : "due"
                for index in 0..<40 {
                    try await bench.insert(
                        bench.id("\(index)", in: name),
                        // Some are never due, so that no claim of due records meets them.
                        RecordContent(
                            state: "x", orderKey: "k", due: index % 4 == 0 ? .after(.zero) : .never,
                            expires: .after(.seconds(5))))
                }
                let last = bench.id("last", in: name)
                try await bench.insert(last, .due(order: "k"))
                bench.advance(by: .seconds(5))
                if named {
                    _ = try await bench.hold(last)
                } else {
                    try await bench.requireDue(["last"], in: name, "behind forty that have expired")
                }
            }
        },
        Check("a waiting claim is woken by a move to its collection", promise: 10) { bench in
            let now = try await bench.now()
            let fence = try await bench.insert(bench.id("a", in: "other"))
            try await bench.requireWoken(with: "a", at: now, "of a move") {
                try await bench.move(bench.id("a", in: "other"), to: bench.id("a"), fence, with: .due())
            }
        },
        Check("a waiting claim is woken by a move that takes the head away", promise: 10) { bench in
            let now = try await bench.now()
            let fence = try await bench.insert(bench.id("a"), RecordContent(state: "x", orderKey: "k"))
            try await bench.insert(bench.id("b"), .due(order: "k"))
            try await bench.requireWoken(with: "b", at: now, "when the head is moved away") {
                try await bench.move(bench.id("a"), to: bench.id("a", in: "other"), fence)
            }
        },
    ]
}
