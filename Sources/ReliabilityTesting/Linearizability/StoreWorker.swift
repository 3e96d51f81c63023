// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Synchronization

/// One of several tasks that call a store at the same time: it draws calls from what the store has told it before.
struct StoreWorker: Sendable {
    /// What a worker knows of a record, which may not be so any more.
    private struct Known {
        var fence: Fence
        var isHeld: Bool
        /// Whether an answer has shown the record since its insert, and not only the fence.
        var isShown: Bool
    }

    /// Numbers what happens in a history.
    final class Stamps: Sendable {
        private let last = Atomic<Int>(0)
        func next() -> Int { last.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue }
    }

    private let number: Int
    private var random: RandomSource
    private var known: [RecordID: Known] = [:]
    private var changes = 0
    private(set) var calls: [StoreHistory.Call] = []
    private(set) var errors: [StoreError] = []

    init(number: Int, seed: UInt64) {
        self.number = number
        // The seeds of neighbours have nothing in common.
        random = .seeded(seed &* 0xD134_2543_DE82_EF95 &+ UInt64(number))
    }

    /// Makes that many calls, one after the other, and lets others go first between a call and its stamps.
    mutating func run(calls count: Int, on store: any RecordStore, at now: Timestamp, _ stamps: Stamps) async {
        for _ in 0..<count {
            let call = StoreCall(operation(), at: now)
            await mayYield()
            let made = stamps.next()
            await mayYield()
            do throws(StoreError) {
                let answer = try await call.ask(store)
                await mayYield()
                calls.append(.init(call, made: made, outcome: .answered(answer, at: stamps.next())))
                learn(from: answer, to: call.operation)
            } catch {
                // Any other error says that the call had no effect.
                if !error.isNotApplied { calls.append(.init(call, made: made, outcome: .unknown)) }
                errors.append(error)
            }
        }
    }

    /// The calls and errors since the last time.
    mutating func take() -> (calls: [StoreHistory.Call], errors: [StoreError]) {
        defer { (calls, errors) = ([], []) }
        return (calls, errors)
    }

    private mutating func mayYield() async {
        if chance(40) { await Task.yield() }
    }

    // MARK: Calls

    private mutating func operation() -> StoreCall.Operation {
        switch random.draw(upTo: 99) {
        case 0..<42:
            return .commit(batch())
        case 42..<54:
            return .claim(ClaimRequest(.ids(someIDs(pick([1, 2, 3]))), lease: lease()))
        case 54..<64:
            return .claim(ClaimRequest(.due(collection: collection(), limit: pick([1, 2, 100])), lease: lease()))
        case 64..<75:
            let id = pick(StoreHistory.ids)
            return .extend(id, fence: known[id]?.fence ?? Fence(rawValue: 3), lease: duration())
        case 75..<85:
            return .read(someIDs(pick([1, 2, 4])))
        case 85..<97:
            return .scan(collection(), state: pick([nil, nil, "a"]), after: nil, limit: pick([1, 2, 100, 100]))
        default:
            return .statistics(collection())
        }
    }

    /// A batch that names each record once.
    private mutating func batch() -> [Change] {
        let ids = someIDs(pick([1, 1, 2, 3]))
        var others = StoreHistory.ids.filter { !ids.contains($0) }
        return ids.map { id in
            let change = change(of: id, other: others.last)
            if change.destination != nil { others.removeLast() }
            return change
        }
    }

    private mutating func change(of id: RecordID, other: RecordID?) -> Change {
        guard let standing = known[id] else {
            return chance(85) ? .insert(id, content(), lease: chance(40) ? lease() : nil) : .assert(id, nil)
        }
        var kinds: [Change] = [
            .assert(id, standing.fence),
            .replace(id, expecting: standing.fence, with: content(), lease: .keep),
            .replace(id, expecting: standing.fence, with: content(), lease: .end),
        ]
        // What an extension does where nobody holds is not promised.
        if standing.isHeld {
            kinds.append(.replace(id, expecting: standing.fence, with: content(), lease: .extend(duration())))
        }
        // The place of a record that comes and goes unseen could not be told from the history.
        if standing.isShown {
            kinds.append(.delete(id, expecting: standing.fence))
            if let other {
                kinds.append(.move(id, to: other, expecting: standing.fence, with: content(), lease: .keep))
            }
        }
        return pick(kinds)
    }

    /// Content that differs from all other content of the history. Nothing expires while the clock stands still.
    private mutating func content() -> RecordContent {
        changes += 1
        return RecordContent(
            state: pick(["a", "b"]), body: Array("\(number) \(changes)".utf8),
            orderKey: pick([nil, "k", "k", "l"]), due: pick([.never, .after(.zero), .after(duration()), .unchanged]),
            expires: pick([.never, .never, .unchanged, .after(.nanoseconds(1)), .after(.seconds(2))]))
    }

    private mutating func lease() -> Lease { Lease(duration()) }

    private mutating func duration() -> Duration { pick([.zero, .zero, .nanoseconds(1), .seconds(1), .seconds(3)]) }

    private mutating func collection() -> String { pick(StoreHistory.collections) }

    private mutating func someIDs(_ count: Int) -> [RecordID] {
        Array(StoreHistory.ids.shuffled(using: &random).prefix(count))
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int(random.draw(upTo: Int64(values.count - 1)))]
    }

    private mutating func chance(_ percent: Int64) -> Bool { random.draw(upTo: 99) < percent }

    // MARK: What is known

    private mutating func learn(from answer: StoreAnswer, to operation: StoreCall.Operation) {
        switch (operation, answer) {
        case (.read(let ids), _):
            for id in ids { known[id] = nil }
        case (.claim(let request), _):
            if case .ids(let ids) = request.selection { for id in ids { known[id] = nil } }
        case (.commit(let changes), .commit(.committed(let committed))):
            learn(changes, committed.fences)
        case (.commit(let changes), .commit(.conflict(let conflict))) where changes.indices.contains(conflict.index):
            let id = changes[conflict.index].id
            // What stands where a move leads to says nothing of the record itself.
            if conflict.standing.map({ $0.id == id }) ?? true { known[id] = nil }
        case (.extend(let id, _, _), .extend(.lost)):
            known[id] = nil
        default:
            break
        }
        for record in answer.records {
            known[record.id] = Known(fence: record.fence, isHeld: record.holder != nil, isShown: true)
        }
    }

    private mutating func learn(_ changes: [Change], _ fences: [Fence]) {
        for case .delete(let id, _) in changes { known[id] = nil }
        for (change, fence) in changes.pairedWithFences(fences) ?? [] {
            switch change {
            case .insert(let id, _, let lease):
                known[id] = Known(fence: fence, isHeld: lease != nil, isShown: false)
            case .replace(let id, _, _, let lease):
                known[id]?.fence = fence
                if lease == .end { known[id]?.isHeld = false }
            case .move(let id, let destination, _, _, _):
                known[destination] = known.removeValue(forKey: id)
                known[destination]?.fence = fence
            case .delete, .assert:
                break
            }
        }
    }
}
