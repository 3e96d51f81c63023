// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Synchronization

/// How a story ends: everything comes to rest, and then everything is looked at.
extension IdempotencyStory {
    private func openEverything() -> Bool {
        guard world.gates.count > 0 else { return false }
        world.gates.openAll()
        return true
    }

    /// Lets every call come to its end. None may wait for something that never comes.
    mutating func comeToRest() {
        world.link.lossChance = 0
        disk.capacity = nil
        stopped = []
        // Whatever was to go wrong with the disk does so now.
        if settings.hasFiles, has(.storeCrashes) { crashStore(takingProcesses: false, losingPower: true) }
        for _ in 0..<2_000 {
            if storeFailure.isSet { crashStore(takingProcesses: false, losingPower: false) }
            if settle() || openEverything() { continue }
            if world.provider.lateCount > 0 { deliverOne() }
            open.removeAll { $0.pending.value != nil }
            if judge.violation != nil { return }
            if open.isEmpty, !deliverWhatIsLeft() { break }
            passTime(settings.lease / 3)
        }
        if let stuck = open.first { judge.accuse("call \(stuck.call.number) never ends") }
        ghosts = []
        passTime(settings.lease + .seconds(1))
        for process in processes where process.clock.sleeperCount > 0 {
            judge.accuse(
                "\(process.clock.sleeperCount) tasks of process \(process.life.number) sleep although no call is open")
        }
        judge.checkEffects()
    }

    /// Looks at every key, asks for it once more, cuts the power, and looks again.
    mutating func audit() {
        let entries = look()
        if judge.violation != nil { return }
        let disturbed = judge.state.withLock { state in
            defer { state.isDisturbed = false }
            return state.isDisturbed
        }
        for key in 0..<settings.keys { audit(key, entries[key] ?? nil) }
        if has(.messages) {
            for key in world.mailbox.keys { auditMessage(key, entries[key] ?? nil) }
        }
        if disturbed { judge.disturb() }
        if judge.violation != nil { return }
        passTime(settings.lease + .seconds(1))
        if settings.hasFiles { crashStore(takingProcesses: true, losingPower: true) }
        _ = look()
        judge.checkEffects()
    }

    private mutating func look() -> [Int: IdempotencyEntry?] {
        guard let process = processes.first else { return [:] }
        let records = LinkedRecords(link: world.link, process: Liveness(0))
        let store = RecordIdempotencyStore(records)
        let runs = judge.state.withLock { $0.runs.filter(\.hasOrder).map(\.number) }
        let orders = keep(isQuiet: true) { () -> Set<Int> in
            var found: Set<Int> = []
            for run in runs where try await records.read([RecordID("orders", "\(run)")]).records.first ?? nil != nil {
                found.insert(run)
            }
            return found
        }
        let operation = process.operation
        let listed = keep(isQuiet: true) { () -> Set<Int> in
            var (found, cursor): (Set<Int>, IdempotencyCursor?) = ([], nil)
            repeat {
                let page = try await operation.unresolved(after: cursor, limit: 3)
                found.formUnion(page.executions.map(\.key.number))
                cursor = page.next
            } while cursor != nil
            repeat {
                let page = try await store.unresolved("inbox/\(Mailbox.source)", after: cursor, limit: 3)
                found.formUnion(page.entries.map(\.key.number))
                cursor = page.next
            } while cursor != nil
            return found
        }
        var entries: [Int: IdempotencyEntry?] = [:]
        let mailbox = world.mailbox
        for key in 0..<mailbox.keys.upperBound {
            let found = keep(isQuiet: true) { () -> (IdempotencyEntry?, Timestamp) in
                let key = IdempotencyKey(number: key, mailbox)
                return (try await store.read(key), try await records.read([key.recordID]).now)
            }
            guard let found, let orders, let listed else {
                judge.accuse("the store does not answer when all is quiet")
                return entries
            }
            judge.note("at the end key \(key) is \(found.0.map { "\($0.state)" } ?? "free")")
            judge.checkEnd(key, found.0, isListed: listed.contains(key), orders: orders, now: found.1)
            entries[key] = found.0
        }
        return entries
    }

    /// Asks for a key as both requests that there are.
    private mutating func audit(_ key: Int, _ entry: IdempotencyEntry?) {
        guard let first = ask(key, request: 0), let second = ask(key, request: 1), let entry else { return }
        let mismatches = [first, second].count { $0.result?.failure is IdempotencyMismatch }
        if mismatches == 2 { judge.accuse("key \(key) is of no request") }
        let right = first.result?.failure is IdempotencyMismatch ? second : first
        judge.checkAudit(right, entry, isOnlyOne: mismatches == 1)
    }

    private mutating func ask(_ key: Int, request: Int) -> Judge.Call? {
        guard let process = processes.first else { return nil }
        callCount += 1
        let number = callCount
        start(Judge.Call(number: number, key: key, request: request, process: process.life.number), process)
        return comeToEnd(number)
    }

    /// Lets a call come to its end when all is quiet.
    mutating func comeToEnd(_ number: Int) -> Judge.Call? {
        for _ in 0..<2_000 where open.contains(where: { $0.call.number == number }) {
            if !settle(), !openEverything() { passTime(settings.lease / 3) }
            open.removeAll { $0.pending.value != nil }
        }
        guard let call = judge.call(number), call.result != nil || call.delivery != nil else {
            judge.accuse("call \(number) never ends")
            return nil
        }
        return call
    }
}
