// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import checkout

@Suite struct OrderGeneratorTests {
    @Test func `the orders that come with the example are what the generator makes`() throws {
        guard case .file(let path) = try OrderInput.bundled() else {
            Issue.record("the bundled orders are not a file")
            return
        }
        #expect(try readFile(path) == Array(OrderGenerator.lines().joined()))
    }

    @Test(arguments: [(2_026, 1_200), (1, 2_400), (7, 20), (3, 0)] as [(UInt64, Int)])
    func `the lines are of the kinds and in the numbers promised`(seed: UInt64, count: Int) {
        let lines = OrderGenerator.lines(seed: seed, count: count)
        #expect(lines.count == count)
        #expect(lines == OrderGenerator.lines(seed: seed, count: count))
        let shares = OrderGenerator.Shares(count: count)
        var seen: [String: Order] = [:]
        var (duplicates, mismatches, declined, scarce, good, oversized) = (0, 0, 0, 0, 0, 0)
        var problems: [OrderProblem] = []
        for line in lines {
            let problem: OrderProblem
            do {
                guard line.count <= OrderReader.lineLimit else {
                    oversized += 1
                    continue
                }
                let order = try Order.parse(Array(line.dropLast()))
                if let first = seen[order.id] {
                    if first == order { duplicates += 1 } else { mismatches += 1 }
                } else {
                    seen[order.id] = order
                    if order.card.hasPrefix("tok_declined") {
                        declined += 1
                    } else if Stock.scarce[order.sku] != nil {
                        scarce += 1
                    } else {
                        good += 1
                    }
                }
                #expect(Stock.initial[order.sku] != nil)
                continue
            } catch {
                problem = error
            }
            if case .length(_, let bytes, _) = problem, bytes > 0 { oversized += 1 } else { problems.append(problem) }
        }
        #expect(duplicates == shares.duplicates)
        #expect(mismatches == shares.mismatches)
        #expect(declined == shares.declined)
        #expect(scarce == shares.scarce)
        #expect(good == shares.good)
        #expect(oversized == shares.oversized)
        #expect(problems.count == shares.malformed)
        if count >= 1_200 {
            #expect(good >= 1_000)
            // Every way to be malformed but a missing and an empty object's field has a problem of its own.
            for problem in [OrderProblem.notJSON, .notAnObject, .notUTF8, .currency, .missing(field: "amountMinor")] {
                #expect(problems.contains(problem))
            }
        }
    }

    @Test func `the articles that run out are asked for more often than they are there`() throws {
        var wanted: [String: Int] = [:]
        for line in OrderGenerator.lines() {
            guard let order = try? Order.parse(Array(line.dropLast())) else { continue }
            wanted[order.sku, default: 0] += order.quantity
        }
        for (sku, pieces) in wanted {
            let there = try #require(Stock.initial[sku])
            #expect((pieces > there) == (Stock.scarce[sku] != nil), "\(sku): \(pieces) of \(there)")
        }
        #expect(wanted.count == Stock.initial.count)
    }
}
