// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// `unresolved(_:after:limit:)`.
extension IdempotencyStoreConformance {
    static let listingChecks = [
        Check("a listing has the keys left unknown and those whose lease has passed, and no other") { bench in
            let unknown = try await mixed(bench)
            let listed = try await bench.listed()
            try require(names(listed), is: unknown.sorted(), "the keys listed")
            for entry in listed { try require(entry, is: try await bench.entry(entry.key), "an entry of a listing") }
        },
        Check("a listing has every key once, whatever the size of its pages") { bench in
            let unknown = try await mixed(bench)
            for limit in [1, 2, 3, 5, 7, 100, 1_000] {
                let listed = try await bench.listed(limit: limit)
                try require(names(listed), is: unknown.sorted(), "the keys listed by pages of \(limit)")
            }
        },
        Check("keys that are settled between two pages hide no others") { bench in
            for limit in [1, 3] {
                let unknown = try await mixed(bench, "settled by \(limit)")
                let listed = try await bench.listed("settled by \(limit)", limit: limit) { page in
                    for entry in page {
                        let execution = try await bench.acquire(entry.key, takingOver: entry)
                        if execution.fence.rawValue % 2 == 0 {
                            try await bench.release(execution)
                        } else {
                            try await bench.complete(execution)
                        }
                    }
                }
                try require(names(listed), is: unknown.sorted(), "the keys listed by pages of \(limit)")
            }
        },
        Check("a listing has the keys of one operation, of all tenants") { bench in
            let operations = [
                "operation", "operation2", "Operation", "op", "%", "_", "e\u{301}", "\u{E9}", "o peration ",
            ]
            for operation in operations {
                for tenant in ["a", "b"] {
                    let key = try bench.key(operation, tenant: tenant, operation: operation)
                    try await bench.markUnknown(try await bench.acquire(key))
                    try await bench.acquire(
                        try bench.key("lapsed", tenant: tenant, operation: operation), for: .seconds(1))
                }
            }
            bench.advance(by: .seconds(1))
            for operation in operations {
                let listed = try await bench.listed(operation, limit: 3)
                let expected = ["a", "b"].flatMap { ["\($0)/\(operation)", "\($0)/lapsed"] }
                try require(
                    listed.map { Array("\($0.key.tenant)/\($0.key.key)".utf8) }.sorted {
                        $0.lexicographicallyPrecedes($1)
                    },
                    is: expected.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) },
                    "the keys of \(operation)")
            }
            try require(try await bench.listed("none"), is: [], "the keys of an operation without any")
        },
        Check("a key leaves the listing with its settlement and comes back when it is unknown again") { bench in
            let key = try bench.key()
            var entry = try await bench.lapsed(key).entry
            for isLeft in [true, false, true] {
                try require(try await bench.listed(), is: [entry], "the listing while the key is unknown")
                let execution = try await bench.acquire(key, takingOver: entry)
                try require(try await bench.listed(), is: [], "the listing while the key is in progress")
                if isLeft { try await bench.markUnknown(execution) } else { bench.advance(by: IdempotencyBench.lease) }
                entry = try await bench.entry(key)
            }
            try await bench.complete(try await bench.acquire(key, takingOver: entry))
            try require(try await bench.listed(), is: [], "the listing when the key is completed")
        },
    ]

    private static func names(_ entries: [IdempotencyEntry]) -> [String] { entries.map(\.key.key).sorted() }

    /// Keys of one operation in every state, one after the other; returns those that are unknown.
    private static func mixed(
        _ bench: IdempotencyBench, _ operation: String = "operation"
    ) async throws -> [String] {
        var unknown: [String] = []
        for number in 0..<5 {
            func key(_ state: String) throws -> IdempotencyKey {
                try bench.key("\(state) \(number)", tenant: "tenant \(number % 2)", operation: operation)
            }
            let keys = (left: try key("left"), lapsed: try key("lapsed"), again: try key("again"))
            try await bench.markUnknown(try await bench.acquire(keys.left))
            try await bench.acquire(keys.lapsed, for: .seconds(1))
            try await bench.markUnknown(try await bench.acquire(keys.again))
            try await bench.acquire(keys.again, for: .seconds(1), takingOver: try await bench.entry(keys.again))
            unknown += [keys.left.key, keys.lapsed.key, keys.again.key]
            try await bench.acquire(try key("in progress"))
            try await bench.complete(try await bench.acquire(try key("completed")))
            try await bench.complete(try await bench.acquire(try key("expired")), for: .seconds(1))
            try await bench.release(try await bench.acquire(try key("released")))
            let held = try key("held again")
            try await bench.markUnknown(try await bench.acquire(held))
            try await bench.acquire(held, takingOver: try await bench.entry(held))
        }
        bench.advance(by: .seconds(1))
        return unknown
    }
}
