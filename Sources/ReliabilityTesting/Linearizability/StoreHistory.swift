// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores

/// The calls of several tasks of one store, in rounds: calls run side by side while the clock stands still, and between
/// two rounds nothing runs and the clock moves on.
///
/// Every round ends with a look at all that stands, so that nothing done in it goes unseen.
package struct StoreHistory: Sendable {
    package typealias Call = ObservedCall<StoreCall, StoreAnswer>

    static let collections = ["x", "y"]
    static let ids = [RecordID("x", "0"), RecordID("x", "1"), RecordID("x", "2"), RecordID("y", "0")]

    /// The calls that had an effect or may have one; those of one task stand in the order in which it made them.
    package private(set) var calls: [Call] = []
    /// What the store threw instead of an answer.
    package private(set) var errors: [StoreError] = []
    /// The store's time when the history began.
    package private(set) var start: Timestamp
    private var workers: [StoreWorker]
    private var random: RandomSource
    private var now: Timestamp
    private let stamps = StoreWorker.Stamps()

    /// Begins the history of a store at its present.
    package init(of store: any RecordStore, seed: UInt64, tasks: Int = 4) async throws(StoreError) {
        start = try await store.read([Self.ids[0]]).now
        now = start
        random = .seeded(seed)
        workers = (0..<tasks).map { StoreWorker(number: $0, seed: seed) }
    }

    /// Runs rounds of that many calls a task, and moves the store's clock after each.
    package mutating func run(rounds: Int, calls: Int, on store: any RecordStore, _ clock: ManualClock) async {
        for _ in 0..<rounds {
            await round(calls: calls, on: store)
            advance(clock)
        }
    }

    /// Lets every task make that many calls while the others do.
    package mutating func round(calls count: Int, on store: any RecordStore) async {
        let (now, stamps, workers) = (now, stamps, workers)
        await withTaskGroup(of: (Int, StoreWorker).self) { group in
            for (number, worker) in workers.enumerated() {
                group.addTask {
                    var worker = worker
                    await worker.run(calls: count, on: store, at: now, stamps)
                    return (number, worker)
                }
            }
            for await (number, worker) in group { self.workers[number] = worker }
        }
        for number in workers.indices {
            let (calls, errors) = self.workers[number].take()
            self.calls += calls
            self.errors += errors
        }
        await look(at: store)
    }

    /// Sees every record that stands.
    private mutating func look(at store: any RecordStore) async {
        for collection in Self.collections {
            _ = await ask(.statistics(collection), of: store)
            var after: UInt64?
            // A page may be shorter than its limit.
            repeat {
                let answer = await ask(.scan(collection, state: nil, after: after, limit: 1_000), of: store)
                guard case .scan(let page)? = answer else { break }
                after = page.next
            } while after != nil
        }
    }

    private mutating func ask(_ operation: StoreCall.Operation, of store: any RecordStore) async -> StoreAnswer? {
        let (call, made) = (StoreCall(operation, at: now), stamps.next())
        do throws(StoreError) {
            let answer = try await call.ask(store)
            calls.append(.init(call, made: made, outcome: .answered(answer, at: stamps.next())))
            return answer
        } catch {
            errors.append(error)
            return nil
        }
    }

    private mutating func advance(_ clock: ManualClock) {
        let steps: [Duration] = [.zero, .nanoseconds(1), .seconds(1), .seconds(2), .seconds(5)]
        let step = steps[Int(random.draw(upTo: Int64(steps.count - 1)))]
        clock.advance(by: step)
        now = now.advanced(by: step)
    }

    /// Goes on with a store that was opened again, from its present.
    package mutating func resume(on store: any RecordStore) async throws(StoreError) {
        now = try await store.read([Self.ids[0]]).now
        errors = []
        await look(at: store)
    }
}
