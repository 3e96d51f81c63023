// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Synchronization

/// What holds however the operations of many tasks fall between each other.
extension RecordStoreConformance {
    private static let tasks = 16

    static let raceChecks = [
        Check("of many inserts of one name exactly one succeeds, and all see the same record", promise: 3) { bench in
            for round in 0..<10 {
                let id = bench.id("\(round)")
                let answers = try await race(bench) { task in
                    try await bench.store.commit([.insert(id, RecordContent(state: "x", body: [UInt8(task)]))])
                }
                let standing = try await bench.record(id)
                var winners = 0
                for (task, answer) in answers.enumerated() {
                    switch answer {
                    case .committed(let committed):
                        winners += 1
                        try require(committed.fences, is: [standing.fence], "the winner's fences")
                        try require(standing.body, is: [UInt8(task)], "the body that stands")
                    case .conflict(let conflict):
                        try require(conflict.standing, is: standing, "what a loser is told")
                    }
                }
                try require(winners, is: 1, "the number of inserts that succeeded")
            }
        },
        Check("of many claims of one record exactly one succeeds", promise: 8) { bench in
            for round in 0..<10 {
                let id = bench.id("\(round)", in: "\(round)")
                try await bench.insert(id, .due())
                let answers = try await race(bench) { task in
                    task % 2 == 0 ? try await bench.claim(id) : try await bench.claimDue(in: id.collection)
                }
                try require(answers.flatMap(\.claimed).count, is: 1, "the number of claims that succeeded")
                try require(try await bench.record(id).claims, is: 1, "claims")
            }
        },
        Check("of many replaces under one fence exactly one succeeds", promise: 1) { bench in
            let id = bench.id("a")
            var fence = try await bench.insert(id)
            for _ in 0..<10 {
                let expected = fence
                let answers = try await race(bench) { task in
                    try await bench.store.commit([
                        .replace(id, expecting: expected, with: RecordContent(state: "\(task)"), lease: .keep)
                    ])
                }
                let winners = answers.indices.filter { if case .committed = answers[$0] { true } else { false } }
                try require(winners.count, is: 1, "the number of replaces that succeeded")
                let record = try await bench.record(id)
                try require(record.state, is: "\(winners[0])", "the state that stands")
                fence = record.fence
            }
        },
        Check("increments under fences lose nothing", promise: 1) { bench in
            let id = bench.id("a")
            try await bench.insert(id, RecordContent(state: "x", body: [0, 0]))
            _ = try await race(bench) { _ in
                for _ in 0..<20 { try await add(1, to: id, bench) }
            }
            let body = try await bench.record(id).body
            try require(Int(body[0]) * 256 + Int(body[1]), is: 20 * tasks, "the sum of all increments")
        },
        Check("nobody sees half a batch", promise: 3) { bench in
            let (a, b) = (bench.id("a", in: "x"), bench.id("b", in: "y"))
            try await bench.insert(a, RecordContent(state: "x", body: [100]))
            try await bench.insert(b, RecordContent(state: "x", body: [100]))
            _ = try await race(bench) { task in
                for _ in 0..<20 {
                    let records = try await bench.store.read([a, b]).records.compactMap(\.self)
                    let sum = records.reduce(0) { $0 + Int($1.body[0]) }
                    try require(sum, is: 200, "the sum of two records that only ever change together")
                    guard task % 2 == 0, let from = records.first, let to = records.last, from.body[0] > 0 else {
                        continue
                    }
                    _ = try await bench.store.commit([
                        .replace(
                            a, expecting: from.fence, with: RecordContent(state: "x", body: [from.body[0] - 1]),
                            lease: .keep),
                        .replace(
                            b, expecting: to.fence, with: RecordContent(state: "x", body: [to.body[0] + 1]),
                            lease: .keep),
                    ])
                }
            }
        },
        Check("many waiting workers take each due record once, and each order key in order", promise: 5) { bench in
            let count = 120
            let taken = Taken()
            _ = try await race(bench) { task in
                guard task == tasks - 1 else { return try await work(bench, count: count, taken) }
                for index in 0..<count {
                    try await bench.insert(bench.id("\(index)"), .due(order: index % 4 == 0 ? nil : "\(index % 4)"))
                }
            }
            let records = taken.all
            try require(Set(records.map(\.id)).count, is: count, "the number of records taken")
            try require(records.count, is: count, "the number of times that a record was taken")
            for (key, line) in Dictionary(grouping: records, by: \.orderKey) where key != nil {
                let positions = line.map(\.position)
                try require(
                    positions == positions.sorted(), "order key \(key ?? "") was taken in the order \(positions)")
            }
            try require(try await bench.scanAll(), are: [], "what is left")
        },
    ]

    /// What workers have taken, in the order in which they took it.
    private final class Taken: Sendable {
        private let records = Locked<[Record]>([])
        var all: [Record] { records.withLock { $0 } }

        /// Adds a record; returns how many there are now.
        func append(_ record: Record) -> Int {
            records.withLock { records in
                records.append(record)
                return records.count
            }
        }
    }

    /// Takes one due record after the other, waiting for each, until one says stop; who takes the last leaves a stop
    /// for every worker.
    private static func work(_ bench: ConformanceBench, count: Int, _ taken: Taken) async throws {
        while true {
            try Task.checkCancellation()
            for record in try await bench.waiter()().get().claimed {
                guard record.state == "due" else { return try await bench.delete(record.id, record.fence) }
                let isLast = taken.append(record) == count
                try await bench.delete(record.id, record.fence)
                guard isLast else { continue }
                for worker in 0..<tasks - 1 {
                    try await bench.insert(bench.id("stop \(worker)"), RecordContent(state: "stop", due: .after(.zero)))
                }
            }
        }
    }

    /// Runs the operation in many tasks at once; the answers are in the order of the tasks' numbers.
    static func race<Answer: Sendable>(
        _ bench: ConformanceBench, _ operation: @escaping @Sendable (Int) async throws -> Answer
    ) async throws -> [Answer] {
        try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
            for task in 0..<tasks { group.addTask { (task, try await operation(task)) } }
            let patience = bench.suite.patience
            group.addTask {
                try await patience.runOut()
                throw Violation("tasks that wait for each other's commits were not woken")
            }
            var answers: [(Int, Answer)] = []
            while answers.count < tasks, let answer = try await group.next() { answers.append(answer) }
            group.cancelAll()
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private static func add(_ number: Int, to id: RecordID, _ bench: ConformanceBench) async throws {
        for _ in 0..<100_000 {
            let record = try await bench.record(id)
            let sum = Int(record.body[0]) * 256 + Int(record.body[1]) + number
            let content = RecordContent(state: "x", body: [UInt8(sum / 256), UInt8(sum % 256)])
            let answer = try await bench.store.commit([
                .replace(id, expecting: record.fence, with: content, lease: .keep)
            ])
            if case .committed = answer { return }
        }
        throw Violation("an increment met a conflict 100,000 times")
    }
}
