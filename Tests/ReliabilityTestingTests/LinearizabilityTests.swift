// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct LinearizabilityTests {
    @Test(arguments: [
        History("nothing"),
        History("one after the other", .write(1, 1, 2), .read(1, 3, 4), .write(2, 5, 6), .read(2, 7, 8)),
        History("a read beside a write sees what was before", .write(1, 1, 4), .read(0, 2, 3)),
        History("a read beside a write sees what comes", .write(1, 1, 4), .read(1, 2, 3)),
        History("two reads beside a write see both in turn", .write(1, 1, 6), .read(0, 2, 3), .read(1, 4, 5)),
        History("two writes side by side end either way", .write(1, 1, 4), .write(2, 2, 3), .read(1, 5, 6)),
        History("and the other", .write(1, 1, 4), .write(2, 2, 3), .read(2, 5, 6)),
        History(
            "an order that is not that of the calls", .write(1, 1, 10), .write(2, 2, 9), .read(2, 3, 4), .read(1, 5, 6),
            .read(1, 7, 8)),
        History("calls that are written down in another order", .read(1, 3, 4), .write(1, 1, 2)),
        History("an unknown write that took effect", .write(1, 1), .read(1, 2, 3)),
        History("an unknown write that did not", .write(1, 1), .read(0, 2, 3)),
        History("an unknown write that took effect late", .write(1, 1), .read(0, 2, 3), .read(0, 4, 5), .read(1, 6, 7)),
        History("an unknown write over a later one", .write(1, 1), .write(2, 2, 3), .read(2, 4, 5), .read(1, 6, 7)),
        History("two unknown writes of which one took effect", .write(1, 1), .write(2, 2), .read(2, 3, 4)),
        History("an unknown read", .read(9, 1), .write(1, 2, 3), .read(1, 4, 5)),
        History("a swap tells what it replaced", .swap(1, 0, 1, 4), .swap(2, 1, 2, 3), .read(2, 5, 6)),
    ]) fileprivate func `a history is explained`(history: History) throws {
        let found = try linearize(history.calls, from: Register())
        // The order that was found has to hold by itself.
        var register = Register()
        for (place, index) in found.order.enumerated() {
            let call = history.calls[index]
            let isRight = register.apply(call.call, answered: call.answer)
            #expect(isRight)
            #expect(found.order[place...].allSatisfy { history.calls[$0].returned > call.made }, "real time")
        }
        #expect(Set(found.order).count == found.order.count)
        #expect(found.order.last.map { history.calls[$0].answer != nil } ?? true, "nothing without need")
        #expect(history.calls.indices.allSatisfy { history.calls[$0].answer == nil || found.order.contains($0) })
        #expect(found.end.value == register.value)
    }

    @Test(arguments: [
        History("a value that nobody wrote", .read(7, 1, 2), placed: [], unplaced: [0]),
        History("a stale read", .write(1, 1, 2), .read(0, 3, 4), placed: [0], unplaced: [1]),
        History("a read of what comes later", .read(1, 1, 2), .write(1, 3, 4), placed: [], unplaced: [0]),
        History(
            "a read that goes back", .write(1, 1, 6), .read(1, 2, 3), .read(0, 4, 5), placed: [0, 1], unplaced: [2]),
        History(
            "a lost update: two swaps replace the same", .swap(1, 0, 1, 4), .swap(2, 0, 2, 3), placed: [0],
            unplaced: [1]),
        History(
            "two readers who see two writes in different orders", .write(1, 1, 12), .write(2, 2, 11), .read(1, 3, 5),
            .read(2, 4, 6), .read(2, 7, 9), .read(1, 8, 10), .read(2, 13, 14), .read(1, 15, 16),
            placed: [0, 2, 1, 3, 4], unplaced: [5]),
        History(
            "an unknown write that took effect twice", .write(1, 1), .read(1, 2, 3), .write(2, 4, 5), .read(1, 6, 7),
            placed: [0, 1, 2], unplaced: [3]),
        History("an unknown write that had not begun", .read(1, 1, 2), .write(1, 3), placed: [], unplaced: [0]),
    ]) fileprivate func `a history that has no explanation is refuted, with how far one goes`(history: History) throws {
        let refutation = #expect(throws: NotLinearizable.self) { try linearize(history.calls, from: Register()) }
        #expect(refutation?.placed == history.placed)
        #expect(refutation?.unplaced == history.unplaced)
        for index in history.placed + history.unplaced {
            #expect(refutation?.description.contains("#\(index) ") == true, "\(refutation?.description ?? "")")
        }
    }

    @Test func `as many orders as there are do not take as much time`() {
        // 10 writes side by side can stand in 3,628,800 orders, but leave behind 1,024 sets with one of 10 values each.
        let writes = (1...10).map { Register.Observed.write($0, $0, 20 + $0) }
        let counter = Counter()
        #expect(throws: NotLinearizable.self) {
            try linearize(writes + [.read(99, 31, 32)], from: Register(counter: counter))
        }
        #expect(counter.value < 60_000)
    }

    @Test func `rounds that follow each other add up and do not multiply`() {
        var calls: [Register.Observed] = []
        for round in 0..<50 {
            calls += (0..<4).map { .write(round * 4 + $0, round * 100 + $0, round * 100 + 50 + $0) }
        }
        let counter = Counter()
        #expect(throws: NotLinearizable.self) {
            try linearize(calls + [.read(-1, 9_998, 9_999)], from: Register(counter: counter))
        }
        #expect(counter.value < 50 * 400)
    }

    @Test func `random histories of a real register are explained, and not if one answer is another`() {
        for seed in UInt64(1)...200 {
            var random = RandomSource.seeded(seed)
            var calls = Register.randomHistory(count: 24, tasks: 4, &random)
            #expect(throws: Never.self, "seed \(seed)") { try linearize(calls, from: Register()) }
            guard let read = calls.firstIndex(where: { $0.call == .read }) else { continue }
            calls[read] = .read(-1, calls[read].made, calls[read].returned)
            #expect(throws: NotLinearizable.self, "seed \(seed)") { try linearize(calls, from: Register()) }
        }
    }
}

private struct History: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let calls: [Register.Observed]
    let placed: [Int]
    let unplaced: [Int]

    init(_ name: String, _ calls: Register.Observed..., placed: [Int] = [], unplaced: [Int] = []) {
        testDescription = name
        self.calls = calls
        self.placed = placed
        self.unplaced = unplaced
    }
}

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }

    /// Counts one more; `false` once it is far too many, so that a search that gets lost comes to an end.
    func increment() -> Bool { count.wrappingAdd(1, ordering: .relaxed).newValue < 1_000_000 }
}

/// A number that can be read, written and swapped, at first zero.
private struct Register: SequentialModel {
    enum Call: Hashable, Sendable {
        case read
        case write(Int)
        case swap(Int)
    }

    typealias Observed = ObservedCall<Call, Int?>

    private(set) var value = 0
    var counter: Counter?

    var fingerprint: Int { value }

    mutating func apply(_ call: Call, answered answer: Int??) -> Bool {
        guard counter?.increment() ?? true else { return false }
        let old = value
        switch call {
        case .read:
            return answer.map { $0 == old } ?? true
        case .write(let new):
            value = new
            return answer.map { $0 == nil } ?? true
        case .swap(let new):
            value = new
            return answer.map { $0 == old } ?? true
        }
    }
}

extension ObservedCall where Call == Register.Call, Answer == Int? {
    fileprivate static func read(_ value: Int, _ made: Int, _ returned: Int? = nil) -> Self {
        Self(.read, made: made, outcome: returned.map { .answered(value, at: $0) } ?? .unknown)
    }

    fileprivate static func write(_ value: Int, _ made: Int, _ returned: Int? = nil) -> Self {
        Self(.write(value), made: made, outcome: returned.map { .answered(nil, at: $0) } ?? .unknown)
    }

    fileprivate static func swap(_ value: Int, _ old: Int, _ made: Int, _ returned: Int) -> Self {
        Self(.swap(value), made: made, outcome: .answered(old, at: returned))
    }
}

extension Register {
    /// What tasks see whose calls of a register take effect between their being made and their return.
    static func randomHistory(count: Int, tasks: Int, _ random: inout RandomSource) -> [Observed] {
        struct Running {
            var call: Call
            var made: Int
            var answer: Int??
        }
        var register = 0
        var running: [Running?] = Array(repeating: nil, count: tasks)
        var calls: [Observed] = []
        var stamp = 0
        while calls.count < count {
            stamp += 1
            let number = Int(random.draw(upTo: Int64(tasks - 1)))
            guard let task = running[number] else {
                let call: Call = random.draw(upTo: 1) == 0 ? .read : .write(Int(random.draw(upTo: 5)))
                running[number] = Running(call: call, made: stamp)
                continue
            }
            if let answer = task.answer {
                calls.append(Observed(task.call, made: task.made, outcome: .answered(answer, at: stamp)))
                running[number] = nil
            } else if case .write(let value) = task.call {
                running[number]?.answer = .some(nil)
                register = value
            } else {
                running[number]?.answer = .some(register)
            }
        }
        // Writes that had their effect and no answer yet.
        for task in running.compactMap(\.self) where task.call != .read {
            calls.append(Observed(task.call, made: task.made, outcome: .unknown))
        }
        return calls
    }
}
