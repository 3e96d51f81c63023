// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Names and contents are bytes: nothing is normalised, joined, cut or escaped.
extension RecordStoreConformance {
    /// Pairs of texts that Swift or a careless encoding takes for the same.
    private static let lookalikes = [
        ("\u{E9}", "e\u{301}"), ("\u{212B}", "\u{C5}"), ("a", "A"), ("a", "a "), ("a", "a\0"), ("%", "_"), ("1", "01"),
    ]

    static let byteChecks = [
        Check("names are told apart by their bytes") { bench in
            for (first, second) in lookalikes {
                let (a, b) = (bench.id(first), bench.id(second))
                let fence = try await bench.insert(a, .due())
                try await bench.insert(b, .plain)
                let records = try await bench.store.read([a, b]).records
                try require(records.map { $0?.id }, is: [a, b], "the names that stand")
                try require(records.map { $0?.state }, is: ["due", "plain"], "the states that stand")
                _ = try await bench.hold(b)
                try await bench.delete(a, fence)
                try await bench.requireAbsent(a, "after a delete")
                let record = try await bench.record(b)
                try await bench.delete(b, record.fence)
            }
        },
        Check("collection and key are not run together") { bench in
            let ids = [
                RecordID("a", "b/c"), RecordID("a/b", "c"), RecordID("a", "b:c"), RecordID("a:b", "c"),
                RecordID("a", "b\0c"), RecordID("a\0b", "c"), RecordID("ab", "c"), RecordID("a", "bc"),
            ]
            for id in ids { try await bench.insert(id, RecordContent(state: "x", body: Array(id.key.utf8))) }
            for (id, record) in zip(ids, try await bench.store.read(ids).records) {
                try require(record?.id, is: id, "the name")
                try require(record?.body, is: Array(id.key.utf8), "the body of \(id)")
            }
            try require(try await bench.scanAll("a").count, is: 4, "the number of records in one collection")
        },
        Check("collections are told apart by their bytes in claims, scans and statistics") { bench in
            for (first, second) in lookalikes {
                let (a, b) = (bench.id("first", in: first), bench.id("second", in: second))
                try await bench.insert(a, .due())
                try await bench.insert(b, .due())
                for id in [a, b] {
                    try require(try await bench.scanAll(id.collection).map(\.id), is: [id], "a scan")
                    let statistics = try await bench.store.statistics(of: id.collection)
                    try require(statistics.counts["due"], is: 1, "the number of records in a collection")
                    let answer = try await bench.requireDue([id.key], in: id.collection, "from a collection")
                    try await bench.delete(id, answer.claimed[0].fence)
                }
            }
        },
        Check("order keys are told apart by their bytes", promise: 5) { bench in
            for (first, second) in lookalikes {
                let (a, b) = (bench.id("a", in: "x"), bench.id("b", in: "x"))
                try await bench.insert(a, .due(order: first))
                try await bench.insert(b, .due(order: second))
                let answer = try await bench.requireDue(["a", "b"], in: "x", "from two order keys that look alike")
                let (held, other) = (answer.claimed[0], answer.claimed[1])
                // A move from the one to the other is a move.
                let behind = bench.id("behind", in: "x")
                try await bench.insert(behind, .due(order: first))
                try await bench.replace(a, held.fence, with: .due(order: second))
                let moved = try await bench.requireDue(["behind"], in: "x", "when the head has moved to the other key")
                try await bench.delete(behind, moved.claimed[0].fence)
                try await bench.delete(b, other.fence)
                try await bench.delete(a, try await bench.record(a).fence)
            }
        },
        Check("bodies, headers and order keys come back byte by byte") { bench in
            let id = bench.id("a")
            let content = RecordContent(
                state: "x", body: (0...1_023).map { UInt8(truncatingIfNeeded: $0) },
                headers: ["": "", "e\u{301}": "\u{E9}", "a\0b": "\r\n\"'\\", "\u{1F600}": "\u{202E}x"],
                orderKey: "e\u{301}\0\u{FFFD}")
            var fence = try await bench.insert(id, content)
            for round in 0..<2 {
                let record = try await bench.record(id)
                try require(record.body, is: content.body, "the body")
                try require(bytes(record.headers), is: bytes(content.headers), "the headers")
                try require(
                    record.orderKey.map { Array($0.utf8) }, is: content.orderKey.map { Array($0.utf8) }, "the order key"
                )
                if round == 0 { fence = try await bench.replace(id, fence, with: content) }
            }
        },
    ]

    private static func bytes(_ headers: [String: String]) -> [[UInt8]: [UInt8]] {
        Dictionary(uniqueKeysWithValues: headers.map { (Array($0.key.utf8), Array($0.value.utf8)) })
    }
}
