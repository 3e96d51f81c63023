// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting

/// What becomes of items that are held.
extension QueueModel {
    /// An item is started, goes back unstarted, or is settled by a replacement.
    mutating func replaced(
        _ name: String, _ expected: Fence, _ content: RecordContent, _ lease: LeaseChange, _ fence: Fence,
        _ now: Timestamp, _ act: Int, _ process: Int
    ) {
        guard let serial = queue[name] else { return accuse("\(name) is changed and was never put") }
        let item = items[serial]
        expect(content.orderKey == item.key, "\(name) of \(item.key ?? "no key") is now of another order key")
        items[serial].fence = fence
        if hands[expected]?.serial == serial {
            return settledByReplacement(serial, expected, content, now, act)
        }
        countCrash(serial)
        if case .extend(let lease) = lease, content.state == "running" {
            return start(serial, fence, process, now, until: now.advanced(by: lease))
        }
        note("\(now.text) \(name) goes back unstarted")
        expect(content.due == .unchanged, "\(name) goes back and is due at another time")
        expect(content.state == state(of: items[serial]), "\(name) goes back as \(content.state)")
    }

    private func state(of item: Item) -> String { item.counts.failures > 0 ? "retrying" : "ready" }

    /// Whoever had it is gone without a word.
    private mutating func countCrash(_ serial: Int) {
        guard items[serial].running != nil else { return }
        items[serial].running = nil
        items[serial].counts.crashes += 1
        summary.crashesOfItems += 1
    }

    private mutating func start(
        _ serial: Int, _ fence: Fence, _ process: Int, _ now: Timestamp, until: Timestamp
    ) {
        let item = items[serial]
        let claimedAt = item.claimedAt ?? now
        note("\(now.text) \(item.name) is started by \(process) as \(fence)")
        summary.deliveries += 1
        expect(claimedAt >= item.dueAt, "\(item.name) is handed out before its time")
        expect(item.counts.crashes < settings.maximumCrashes, "\(item.name) is handed out after its last crash")
        expect(item.counts.failures < settings.maximumFailures, "\(item.name) is handed out after its last failure")
        expect(!isExpired(item, at: claimedAt), "\(item.name) is handed out after its time to live")
        for hand in item.hands.compactMap({ hands[$0] }) where hand.outcome == nil && !hand.isOver {
            expect(hand.until <= now, "\(item.name) is in the hands of \(hand.process) and of \(process)")
        }
        checkOrder(of: item, "is handed out")
        items[serial].counts.deliveries += 1
        items[serial].running = fence
        items[serial].hands.append(fence)
        hands[fence] = Hand(
            serial: serial, counts: items[serial].counts, redrives: item.redrives, process: process, until: until)
    }

    /// An item is in nobody's way and overtakes nobody.
    private mutating func checkOrder(of item: Item, _ what: String) {
        for earlier in before(item) {
            // Without parking, one that comes back finds those that were handed out meanwhile.
            let counts = settings.parks || earlier.place == .queued && earlier.queuedEvent < item.claimEvent
            expect(!counts, "\(item.name) \(what) although \(earlier.name) is \(earlier.place)")
        }
    }

    func isExpired(_ item: Item, at now: Timestamp) -> Bool {
        item.timeToLive.map { item.createdAt.duration(to: now) >= $0 } ?? false
    }

    // MARK: Settlements

    private mutating func settled(_ serial: Int, _ fence: Fence, as outcome: Outcome, _ act: Int) {
        items[serial].running = nil
        hands[fence]?.outcome = outcome
        hands[fence]?.settledBy = act
        let name = items[serial].name
        note("    \(name) is settled: \(outcome)")
    }

    private mutating func settledByReplacement(
        _ serial: Int, _ fence: Fence, _ content: RecordContent, _ now: Timestamp, _ act: Int
    ) {
        let name = items[serial].name
        guard case .after(let wait) = content.due else { return accuse("\(name) is settled and keeps its due time") }
        let goesBack = hands[fence]?.mayGoBack == true && wait == .zero
        switch goesBack ? .release(delay: .zero) : hands[fence]?.intent {
        case .retry(let delay, false)?:
            items[serial].counts.failures += 1
            items[serial].counts.history += 1
            expect(
                items[serial].counts.failures < settings.maximumFailures, "\(name) goes on after its last failure")
            expect(wait >= max(delay, settings.backoff), "\(name) comes back after \(wait)")
            items[serial].dueAt = now.advanced(by: max(delay, settings.backoff))
            settled(serial, fence, as: .retried(after: wait), act)
        case .release(let delay)?:
            items[serial].dueAt = now.advanced(by: delay)
            settled(serial, fence, as: .released, act)
        case let intent: accuse("\(name) goes back, and was to \(intent.map { "\($0)" } ?? "nothing")")
        }
        expect(content.state == state(of: items[serial]), "\(name) waits as \(content.state)")
    }

    /// An item is removed from the queue.
    mutating func deleted(_ name: String, _ fence: Fence, _ act: Int) {
        guard let serial = queue.removeValue(forKey: name) else {
            return accuse("\(name) is removed and was not there")
        }
        guard let hand = hands[fence], hand.serial == serial, case .complete? = hand.intent else {
            return accuse("\(name) vanishes")
        }
        summary.completed += 1
        checkOrder(of: items[serial], "is done")
        settled(serial, fence, as: .completed, act)
        leave(serial, to: .done)
    }

    /// An item becomes a letter.
    mutating func deadLettered(
        _ name: String, as letter: String, _ expected: Fence, _ content: RecordContent, _ fence: Fence,
        _ now: Timestamp, _ act: Int
    ) {
        guard let serial = queue.removeValue(forKey: name) else {
            return accuse("\(name) is given up and was not there")
        }
        let reason = content.state
        note("\(now.text) \(name) becomes the letter \(letter): \(reason)")
        expect(content.orderKey == (settings.parks ? items[serial].key : nil), "\(letter) is of another order key")
        summary.letters[reason, default: 0] += 1
        if let hand = hands[expected], hand.serial == serial {
            givenUp(serial, hand, reason, now)
            settled(serial, expected, as: .deadLettered(reason), act)
        } else {
            countCrash(serial)
            checkGivingUp(items[serial], reason, now)
        }
        expect(letters[letter] == nil, "\(letter) takes the place of another letter")
        letters[letter] = serial
        items[serial].fence = fence
        items[serial].name = letter
        items[serial].place = .letter
        items[serial].reason = reason
    }

    private mutating func givenUp(_ serial: Int, _ hand: Hand, _ reason: String, _ now: Timestamp) {
        let name = items[serial].name
        switch hand.intent {
        case .retry(_, let isPermanent)?:
            items[serial].counts.failures += 1
            items[serial].counts.history += 1
            let item = items[serial]
            let allowed =
                switch reason {
                case "nonRetryable": isPermanent
                case "attemptsExhausted": !isPermanent && item.counts.failures >= settings.maximumFailures
                case "expired": !isPermanent && isExpired(item, at: now)
                default: false
                }
            expect(allowed, "\(name) is given up after a failure: \(reason)")
        case .deadLetter(let wanted, let hasError)?:
            if hasError {
                items[serial].counts.failures += 1
                items[serial].counts.history += 1
            }
            expect(reason == wanted, "\(name) is given up as \(reason), and was to be as \(wanted)")
        case let intent: accuse("\(name) is given up, and was to \(intent.map { "\($0)" } ?? "nothing")")
        }
    }

    /// An item is given up before anybody was given it.
    private mutating func checkGivingUp(_ item: Item, _ reason: String, _ now: Timestamp) {
        let allowed =
            switch reason {
            case "crashLoop": item.counts.crashes >= settings.maximumCrashes
            case "attemptsExhausted": item.counts.failures >= settings.maximumFailures
            case "expired": isExpired(item, at: now)
            case "undecodable": item.isDamaged
            // One that came back stands before letters that have not, and follows them nevertheless.
            case "precedingItemParked":
                settings.parks && letters.values.contains { items[$0].key == item.key && item.key != nil }
            default: false
            }
        expect(allowed, "\(item.name) is given up before it is handed out: \(reason)")
    }

    // MARK: Letters

    mutating func letterKept(_ letter: String, _ fence: Fence, _ act: Int) {
        guard let serial = letters[letter] else { return accuse("the letter \(letter) is changed and was never put") }
        items[serial].fence = fence
        // The handler of that act did not take it.
        guard let counts = items[serial].refused.removeValue(forKey: act) else {
            return accuse("the letter \(letter) is changed for nothing")
        }
        if counts { items[serial].counts.history += 1 }
    }

    mutating func broughtBack(_ letter: String, to name: String, _ fence: Fence, _ now: Timestamp) {
        guard let serial = letters.removeValue(forKey: letter) else {
            return accuse("\(letter) comes back from nowhere")
        }
        note("\(now.text) the letter \(letter) comes back as \(name)")
        let id = items[serial].id
        expect(name == id, "\(id) comes back as \(name)")
        expect(queue[name] == nil, "\(name) comes back to where an item stands")
        queue[name] = serial
        items[serial].name = name
        items[serial].place = .queued
        items[serial].fence = fence
        items[serial].dueAt = now
        items[serial].queuedEvent = event
        items[serial].redrives += 1
        items[serial].timeToLive = nil
        items[serial].isDamaged = false
        items[serial].counts.failures = 0
        items[serial].counts.crashes = 0
        let item = items[serial]
        if settings.parks, let earlier = before(item).first(where: { $0.place == .letter }) {
            accuse("the letter \(letter) comes back before \(earlier.name)")
        }
    }

    mutating func evicted(_ letter: String, _ act: Int) {
        guard let serial = letters.removeValue(forKey: letter) else {
            return accuse("\(letter) is evicted from nowhere")
        }
        note("    the letter \(letter) is evicted")
        summary.evicted += 1
        items[serial].evictedBy = act
        leave(serial, to: .evicted)
    }

    mutating func takenElsewhere(_ letter: String, _ act: Int) {
        guard let serial = letters.removeValue(forKey: letter) else { return accuse("\(letter) vanishes from nowhere") }
        note("    the letter \(letter) is taken elsewhere")
        expect(items[serial].taken.contains(act), "the letter \(letter) vanishes")
        task?.taken += 1
        leave(serial, to: .elsewhere)
    }
}
