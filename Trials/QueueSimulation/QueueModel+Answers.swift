// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import DeadLetters
internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import WorkQueues

/// What those who ask are answered.
extension QueueModel {
    /// A worker was given an item.
    mutating func delivered(_ found: WorkItem, _ fence: Fence, to process: Int) {
        guard let hand = hands[fence] else { return accuse("\(found.id) is delivered and was never started") }
        let item = items[hand.serial]
        expect(found.id == item.id, "\(item.id) is delivered as \(found.id)")
        expect(found.payload == item.payload, "\(item.id) is delivered with other bytes")
        expect(found.orderKey == item.key, "\(item.id) is delivered under another order key")
        expect(found.position == item.position, "\(item.id) has another position")
        expect(found.enqueuedAt == item.createdAt, "\(item.id) was put at another time")
        let counts = Counts(
            deliveries: found.delivery, failures: found.failures, crashes: found.crashes, history: found.history.count)
        expect(counts == hand.counts, "\(item.id) is delivered with \(counts), right are \(hand.counts)")
        expect(found.redriveCount >= hand.redrives, "\(item.id) came back \(hand.redrives) times")
    }

    /// A worker says what it means to do with an item.
    mutating func intends(_ intent: Intent, with fence: Fence, mayGoBack: Bool = false) {
        note("whoever has \(fence) means to \(intent)")
        hands[fence]?.intent = intent
        hands[fence]?.mayGoBack = mayGoBack
    }

    /// A worker is told that it holds an item until then.
    mutating func extended(_ fence: Fence, _ act: Int, until: Timestamp, now: Timestamp) {
        guard let hand = hands[fence], until > now else { return }
        let item = items[hand.serial]
        expect(
            hand.outcome != nil || hand.isOver || item.fence == fence,
            "\(item.id) is held, as act \(act) was told, and is not")
    }

    /// A hold was prolonged, and the worker knows.
    mutating func prolonged(_ fence: Fence, until: Timestamp) { hands[fence]?.until = until }

    /// A worker is told what became of a settlement.
    mutating func answered(_ fence: Fence, _ act: Int, _ result: Result<Outcome, any Error>) {
        guard let hand = hands[fence] else { return }
        let item = items[hand.serial]
        let isOwn = hand.outcome != nil && hand.settledBy == act
        note("act \(act) about \(item.id) is answered \(result)")
        switch result {
        case .success(let told):
            // What is settled twice is taken for settled if a loss hides by which of the two.
            expect(
                isOwn ? hand.outcome == told : hand.outcome != nil && losses.contains(act),
                "\(item.id) is \(told), as act \(act) was told, and it is not")
        case .failure(let error as DeliveryLost):
            expect(error.id == item.id, "\(item.id) is lost as \(error.id)")
            expect(!isOwn, "\(item.id) is lost, as act \(act) was told, and was settled by it")
            expect(
                hand.outcome != nil || item.fence != fence, "\(item.id) is lost, as act \(act) was told, and is not")
        case .failure(is DeliveryConflict):
            expect(!isOwn, "\(item.id) met a conflict and was settled")
        case .failure(let error as StoreError):
            expect(losses.contains(act), "act \(act) about \(item.id) fails with \(error) though nothing was lost")
            if error.isNotApplied { expect(!isOwn, "\(item.id) was settled by act \(act), which failed with \(error)") }
        case .failure(let error): accuse("act \(act) about \(item.id) fails with \(error)")
        }
    }

    /// Somebody is told what became of the items that were put.
    mutating func put(_ told: [Enqueued], _ wanted: [NewWorkItem], _ act: Int, seen: Set<String>) {
        for (item, outcome) in zip(wanted, told) {
            switch outcome {
            case .enqueued:
                // A loss may hide whose it is.
                let byAct = putBy[act]?.contains(item.id) == true
                let stands = queue[item.id] != nil || letters[item.id] != nil || seen.contains(item.id)
                expect(
                    byAct || stands && losses.contains(act),
                    "\(item.id) is in the queue, as act \(act) was told, and is not")
            case .duplicate:
                expect(
                    seen.contains(item.id) || items.contains { $0.id == item.id },
                    "\(item.id) is a duplicate, as act \(act) was told, of nothing")
            }
        }
    }

    /// The names that are taken.
    var names: Set<String> { Set(queue.keys).union(letters.keys).union(marks.keys) }

    /// Any other act has failed.
    mutating func failed(_ act: Int, _ what: String, _ error: any Error) {
        note("act \(act) fails: \(error)")
        guard error is StoreError else { return }
        expect(losses.contains(act), "act \(act), \(what), fails with \(error) though nothing was lost")
    }
}
