// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import WorkQueues

/// What the store carries out.
extension QueueModel {
    /// Records were claimed.
    mutating func claimed(_ records: [Record], now: Timestamp) {
        event += 1
        for record in records {
            let serial = record.id.collection == Names.queue ? queue[record.id.key] : letters[record.id.key]
            guard let serial, Names.isOfItems(record.id.collection) else { continue }
            note("\(now.text) \(record.id.key) is claimed (\(record.id.collection)) as \(record.fence)")
            items[serial].fence = record.fence
            items[serial].claimedAt = now
            items[serial].claimEvent = event
            expect(
                items[serial].position ?? record.position == record.position, "\(record.id.key) has another position")
            items[serial].position = record.position
        }
    }

    /// A batch was carried out.
    mutating func committed(_ changes: [Change], _ answer: CommitAnswer.Committed, act: Int, process: Int) {
        event += 1
        var fences = answer.fences[...]
        let now = answer.now
        var moved = 0
        for change in changes {
            switch change {
            case .insert(let id, let content, _):
                inserted(id, content, fences.removeFirst(), now, act)
            case .replace(let id, let expected, let content, let lease):
                let fence = fences.removeFirst()
                switch id.collection {
                case Names.queue: replaced(id.key, expected, content, lease, fence, now, act, process)
                case Names.letters: letterKept(id.key, fence, act)
                case Names.parked: readParked(id.key, content.body)
                default: break
                }
            case .move(let id, let destination, let expected, let content, _):
                let fence = fences.removeFirst()
                switch (id.collection, destination.collection) {
                case (Names.queue, Names.letters):
                    deadLettered(id.key, as: destination.key, expected, content, fence, now, act)
                case (Names.letters, Names.queue):
                    broughtBack(id.key, to: destination.key, fence, now)
                    moved += 1
                case (Names.letters, Names.evicted): evicted(id.key, act)
                default: accuse("\(id) becomes \(destination)")
                }
            case .delete(let id, let expected):
                switch id.collection {
                case Names.queue: deleted(id.key, expected, act)
                case Names.letters: takenElsewhere(id.key, act)
                case Names.parked: parked[id.key] = nil
                default: break
                }
            case .assert: break
            }
        }
        checkTask(changes, moved, now, act)
        checkParked()
        checkOrderOfLetters()
    }

    private mutating func inserted(
        _ id: RecordID, _ content: RecordContent, _ fence: Fence, _ now: Timestamp, _ act: Int
    ) {
        switch id.collection {
        case Names.queue: put(id.key, content, fence, now, act)
        case Names.letters:
            note("\(now.text) \(id.key) is put among the letters")
            expect(letters[id.key] == nil, "\(id.key) is put where a letter stands")
            letters[id.key] = items.count
            add(
                Item(
                    serial: items.count, id: id.key, key: nil, payload: [], place: .letter, name: id.key,
                    createdAt: now, dueAt: now, reason: content.state, fence: fence, queuedEvent: event))
        case Names.marks:
            if case .after(let window) = content.expires { marks[id.key] = now.advanced(by: window) }
        case Names.parked: readParked(id.key, content.body)
        case Names.effects:
            expect(effects.insert(id.key).inserted, "the effect \(id.key) comes twice")
        default: break
        }
    }

    private mutating func put(
        _ name: String, _ content: RecordContent, _ fence: Fence, _ now: Timestamp, _ act: Int
    ) {
        guard let item = puts[act]?[name] else { return accuse("\(name) is put by nobody") }
        note("\(now.text) act \(act) puts \(name) of \(item.orderKey ?? "no key") due in \(item.delay)")
        expect(queue[name] == nil, "\(name) is put where an item stands")
        expect(letters[name] == nil, "\(name) is put although a letter of that name stands")
        expect(marks[name].map { $0 <= now } ?? true, "\(name) is put again within its window")
        expect(item.orderKey == content.orderKey, "\(name) is put under another order key")
        queue[name] = items.count
        putBy[act, default: []].insert(name)
        summary.items += 1
        add(
            Item(
                serial: items.count, id: name, key: item.orderKey, payload: item.payload, place: .queued, name: name,
                createdAt: now, dueAt: now.advanced(by: item.delay), timeToLive: item.timeToLive,
                isDamaged: item.headers["damaged"] != nil, fence: fence, queuedEvent: event))
    }

    /// Letters come back in the order of their key, whatever was asked for: none stays behind one that comes back.
    private mutating func checkOrderOfLetters() {
        guard settings.parks else { return }
        for (key, line) in lines {
            var earlier: Int?
            for serial in line {
                if items[serial].place == .letter {
                    earlier = serial
                } else if let earlier, let position = items[serial].position, let parked = parked[key],
                    position <= parked.runsThrough
                {
                    let (later, letter) = (items[serial].id, items[earlier].id)
                    return accuse("\(later) of \(key) may run although \(letter) is a letter")
                }
            }
        }
    }

    private mutating func checkTask(_ changes: [Change], _ moved: Int, _ now: Timestamp, _ act: Int) {
        let ofTask = changes.contains { $0.id == Names.task }
        if ofTask, let pace = starts[act] {
            starts[act] = nil
            note("\(now.text) act \(act) starts a redrive, \(pace.count) in \(pace.period)")
            task = Task(count: pace.count, period: pace.period, notBefore: now)
        }
        guard moved > 0 else { return }
        summary.redriven += moved
        note("    act \(act) brings \(moved) back")
        guard ofTask, var task else { return }
        expect(now >= task.notBefore, "\(moved) letters come back sooner than the pace allows")
        task.moved += moved
        task.notBefore = max(task.notBefore, now).advanced(by: task.period * moved / task.count)
        self.task = task
    }

    private mutating func readParked(_ key: String, _ body: [UInt8]) {
        var reader = ByteReader(body)
        do throws(MalformedBytes) {
            _ = try reader.readUInt8()
            parked[key] = (Int(try reader.readVariable()), try reader.readUInt64())
        } catch {
            accuse("what is known of the key \(key) cannot be read")
        }
    }

    /// As many letters of a key are counted as stand, and nothing is left of a key of which none stands.
    private mutating func checkParked() {
        var standing: [String: Int] = [:]
        if settings.parks {
            for serial in letters.values { if let key = items[serial].key { standing[key, default: 0] += 1 } }
        }
        let counted = parked.mapValues(\.letters).filter { $0.value > 0 }
        expect(counted == standing, "letters that stand are \(standing), and \(counted) are counted")
    }

    /// All leases end: everybody who held something is gone.
    mutating func endLeases() {
        for fence in hands.keys { hands[fence]?.isOver = true }
    }
}
