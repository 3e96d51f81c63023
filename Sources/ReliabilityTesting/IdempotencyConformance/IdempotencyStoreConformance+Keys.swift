// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Keys are bytes in three parts: nothing is normalised, joined, cut or escaped.
extension IdempotencyStoreConformance {
    static let keyChecks = [
        Check("the parts of keys are not run together") { bench in
            try await independent(
                bench,
                [
                    ("t", "a", "bc"), ("t", "ab", "c"), ("ta", "b", "c"), ("t", "a/b", "c"), ("t/a", "b", "c"),
                    ("t", "a", "b/c"), ("t", "a:b", "c"), ("t:a", "b", "c"), ("1:t", "1:a", "bc"), ("t", "a|b", "c"),
                ])
        },
        Check("the same key of other tenants and operations is another one") { bench in
            try await independent(
                bench, [("a", "o", "k"), ("b", "o", "k"), ("a", "p", "k"), ("k", "o", "a"), ("o", "a", "k")])
        },
        Check("keys are told apart by case") { bench in
            try await independent(
                bench, [("t", "o", "key"), ("t", "o", "Key"), ("T", "o", "key"), ("t", "O", "key"), ("t", "o", "kEY")])
        },
        Check("keys are told apart by their bytes, not by what they look like") { bench in
            let lookalikes = [
                "\u{E9}", "e\u{301}", "\u{212B}", "\u{C5}", "A\u{30A}", "\u{FB01}", "fi", "\u{DF}", "ss", "e", "1",
                "01",
            ]
            try await independent(bench, lookalikes.map { ("t", "o", $0) })
            try await independent(bench, lookalikes.map { ($0, "o", "k") })
            try await independent(bench, lookalikes.map { ("t", $0, "k") })
        },
        Check("what a query language could take for something else is part of the key") { bench in
            let texts = [
                "%", "_", "a%", "a_", "ab", "'", "''", "\"", "\\", "\\'", "$1", ";--", "*", "a", "a ", " a", "NULL",
            ]
            try await independent(bench, texts.map { ("t", "o", $0) })
        },
        Check("parts of 255 bytes are kept whole") { bench in
            let long = String(repeating: "x", count: 254)
            let wide = String(repeating: "\u{1F600}", count: 63)
            try await independent(
                bench,
                [
                    (long + "a", long + "a", long + "a"), (long + "b", long + "a", long + "a"),
                    (long + "a", long + "b", long + "a"), (long + "a", long + "a", long + "b"), (long, long, long),
                    (wide + "abc", wide + "abc", wide + "abc"), (wide + "abc", wide + "abc", wide + "abd"),
                ])
        },
    ]

    /// Gives each key a state of its own and requires that none shows another's, one after the other.
    private static func independent(
        _ bench: IdempotencyBench, _ parts: [(tenant: String, operation: String, key: String)]
    ) async throws {
        let keys = try parts.map { try bench.key($0.key, tenant: $0.tenant, operation: $0.operation) }
        var executions: [IdempotencyExecution] = []
        for (number, key) in keys.enumerated() { executions.append(try await bench.acquire(key, number)) }
        for (number, execution) in executions.enumerated() {
            try await bench.complete(execution, as: .value(Array("\(number)".utf8)))
        }
        for (number, key) in keys.enumerated() {
            let entry = try await bench.entry(key)
            try require(entry.execution.fingerprint, is: bench.fingerprint(number), "the fingerprint of \(key)")
            guard case .completed(.value(Array("\(number)".utf8)), _, _) = entry.state else {
                throw Violation("\(key), key number \(number), is \(entry.state)")
            }
        }
    }
}

/// Matches a value that is equal.
private func ~= (expected: [UInt8], bytes: [UInt8]) -> Bool { expected == bytes }
