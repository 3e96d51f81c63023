// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import Testing

@testable import tenant_limits

/// The algorithms as their definitions say, in whole numbers and without a thought for speed.
private struct Definitions {
    let rules: Rules
    private var passed: [Column: [Int64]] = [:]
    /// The token bucket's level, in parts of a token that come back in a second.
    private var level: Int64
    private var filled: Int64?
    /// When the leaky bucket's outlet is free, in parts of a second.
    private var free: Int64 = 0

    init(_ rules: Rules) {
        self.rules = rules
        level = Int64(rules.burst ?? rules.limit) * rules.period
    }

    /// How long each algorithm lets a request wait.
    mutating func judge(at now: Int64) -> [Column: Int64] {
        let (limit, period) = (Int64(rules.limit), rules.period)
        let window = now / period
        func count(_ column: Column, _ isSeen: (Int64) -> Bool) -> Int64 {
            Int64(passed[column, default: []].count { isSeen($0) })
        }
        var waits: [Column: Int64] = [:]

        level = min(Int64(rules.burst ?? rules.limit) * period, level + (now - (filled ?? now)) * limit)
        filled = now
        if level >= period {
            level -= period
            waits[.tokenBucket] = 0
        }
        if count(.slidingLog, { $0 > now - period }) < limit { waits[.slidingLog] = 0 }
        let (before, inside) = (
            count(.slidingCounter) { $0 / period == window - 1 }, count(.slidingCounter) { $0 / period == window }
        )
        if before * (period - now % period) + (inside + 1) * period <= limit * period { waits[.slidingCounter] = 0 }
        if count(.fixedWindow, { $0 / period == window }) < limit { waits[.fixedWindow] = 0 }
        let wait = max(0, free - now * limit)
        if wait <= rules.wait * limit {
            free = now * limit + wait + period
            waits[.leakyBucket] = wait / limit
        }
        for column in waits.keys { passed[column, default: []].append(now) }
        return waits
    }
}

@Suite struct JudgeTests {
    @Test func `every algorithm lets through what its definition says`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource.seeded(seed)
        for _ in 0..<200 {
            var rules = Rules()
            // A period that the limit divides, so that nothing is rounded.
            rules.limit = [1, 2, 5, 10, 30].randomElement(using: &random) ?? 1
            rules.period = [30, 60, 300].randomElement(using: &random) ?? 30
            rules.burst = [nil, 1, 3, 40].randomElement(using: &random) ?? nil
            rules.wait = [0, 1, 10, 100].randomElement(using: &random) ?? 0
            var now = Int64.random(in: 1_000_000...2_000_000, using: &random)
            let judge = Judge(rules, start: now)
            var definitions = Definitions(rules)
            for number in 0..<200 {
                now += Int64.random(in: 0...4, using: &random) * Int64.random(in: 0...4, using: &random)
                judge.move(to: now)
                var waits: [Column: Int64] = [:]
                judge.judge("a") { waits[$0] = $1 }
                #expect(waits == definitions.judge(at: now), "seed \(seed), \(rules), request \(number) at \(now)")
            }
        }
    }

    @Test func `clients have limits of their own, and there is no room for more than so many`() {
        var rules = Rules()
        (rules.limit, rules.mostClients, rules.wait) = (1, 2, 100)
        let judge = Judge(rules, start: 0)
        func passes(_ key: String) -> Set<Column> {
            var columns: Set<Column> = []
            judge.judge(key) { column, _ in columns.insert(column) }
            return columns
        }
        #expect(passes("a").count == 5 && passes("b").count == 5)
        #expect(passes("a") == [.leakyBucket] && judge.overflows == 0)
        #expect(passes("c").isEmpty && judge.overflows == 5)
        // Who has waited, and is gone, makes room as well.
        judge.move(to: 10_000)
        #expect(passes("c").count == 5)
    }
}

@Suite struct LedgerTests {
    private static func counts(_ requests: Int) -> Counts {
        var counts = Counts()
        (counts[.requests], counts[.leakyBucket]) = (requests, requests / 2)
        return counts
    }

    @Test func `who asks most is kept, and nothing is lost`() {
        var ledger = Ledger(capacity: 4)
        for (key, requests) in [("a", 9), ("b", 2), ("c", 7), ("d", 2), ("e", 5), ("b", 1), ("f", 1), ("a", 1)] {
            ledger.add(Self.counts(requests), to: key)
        }
        // Room for e was made of b and d, and then for f of e and b, who had come back.
        #expect(ledger.rows.map(\.key) == ["a", "c", "f"])
        #expect(ledger.counts(of: "a")?[.requests] == 10 && ledger.counts(of: "b") == nil)
        #expect(ledger.others[.requests] == 2 + 2 + 5 + 1)
        let total = ledger.rows.reduce(into: ledger.others) { $0 += $1.counts }
        #expect(total[.requests] == 28)
    }

    @Test func `rows of the same number are in the order of their keys`() {
        var ledger = Ledger(capacity: 9)
        for key in ["b", "c", "a"] { ledger.add(Self.counts(key == "c" ? 2 : 1), to: key) }
        #expect(ledger.rows.map(\.key) == ["c", "a", "b"])
    }
}
