// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// The operations that a caller draws from.
extension Workload {
    private static let pairs: Int64 = 24
    private static let letters: Int64 = 12

    func step(_ random: RandomSource) async throws(Stopped) {
        switch random.draw(upTo: 99) {
        case 0..<35: try await writePair(random)
        case 35..<55: try await moveLetter(random)
        case 55..<70: try await work(random)
        case 70..<75: try await holdLonger(random)
        case 75..<96: try await look(random)
        default: try await page(random)
        }
    }

    /// Inserts, replaces or deletes both records of a key.
    private func writePair(_ random: RandomSource) async throws(Stopped) {
        let key = "p\(random.draw(upTo: Self.pairs - 1))"
        let (left, right) = (RecordID(Ledger.twins.left, key), RecordID(Ledger.twins.right, key))
        let number = report.newNumber()
        guard let leftFence = board[left]?.fence, let rightFence = board[right]?.fence else {
            let lease = random.draw(upTo: 1) == 0 ? nil : Lease(duration(random))
            let changes: [Change] = [
                .insert(left, content(number, random), lease: lease),
                .insert(right, RecordContent(state: "twin", body: Payload.body(of: number))),
            ]
            return _ = try await commit(changes, number)
        }
        if random.draw(upTo: 3) == 0 {
            try await commit([.delete(left, expecting: leftFence), .delete(right, expecting: rightFence)], number)
        } else {
            try await replacePair(left, leftFence, right, rightFence, number, random)
        }
    }

    private func replacePair(
        _ left: RecordID, _ leftFence: Fence, _ right: RecordID, _ rightFence: Fence, _ number: UInt64,
        _ random: RandomSource
    ) async throws(Stopped) {
        let twin = RecordContent(state: "twin", body: Payload.body(of: number))
        let lease: LeaseChange =
            switch random.draw(upTo: 2) {
            case 0: .keep
            case 1: .extend(duration(random))
            default: .end
            }
        try await commit(
            [
                .replace(left, expecting: leftFence, with: content(number, random), lease: lease),
                .replace(right, expecting: rightFence, with: twin, lease: .end),
            ], number)
    }

    /// Takes a letter from one box to the other in one batch; one that is nowhere comes in, and some go for good.
    private func moveLetter(_ random: RandomSource) async throws(Stopped) {
        let key = "m\(random.draw(upTo: Self.letters - 1))"
        let (inbox, outbox) = (RecordID("inbox", key), RecordID("outbox", key))
        let number = report.newNumber()
        let letter = RecordContent(state: "letter", body: Payload.body(of: number))
        if let fence = board[inbox]?.fence {
            let move = Change.move(inbox, to: outbox, expecting: fence, with: letter, lease: .end)
            try await commit(random.draw(upTo: 1) == 0 ? [move] : [move, .assert(RecordID("left", "-"), nil)], number)
        } else if let fence = board[outbox]?.fence {
            if random.draw(upTo: 3) == 0 {
                try await commit([.assert(inbox, nil), .delete(outbox, expecting: fence)], number)
            } else {
                try await commit([.insert(inbox, letter), .delete(outbox, expecting: fence)], number)
            }
        } else {
            try await commit([.assert(outbox, nil), .insert(inbox, letter)], number)
        }
    }

    /// Claims what is due and settles some of it.
    private func work(_ random: RandomSource) async throws(Stopped) {
        let claim = report.newNumber()
        report(.claiming(claim))
        let answer: ClaimAnswer
        do {
            answer = try await store.claim(
                ClaimRequest(
                    .due(collection: Ledger.twins.left, limit: Int(random.draw(upTo: 2)) + 1),
                    lease: Lease(duration(random))))
        } catch {
            throw failed(claim, error)
        }
        let claimed = answer.claimed.map(sighting)
        report(.claimed(claim, claimed))
        for record in claimed { board[record.id] = record.version }
        for record in claimed {
            guard let fence = record.version?.fence, random.draw(upTo: 3) > 0 else { continue }
            if random.draw(upTo: 2) == 0 { try await extend(record.id, fence) }
            let right = RecordID(Ledger.twins.right, record.id.key)
            guard let rightFence = board[right]?.fence else { continue }
            try await replacePair(record.id, fence, right, rightFence, report.newNumber(), random)
        }
    }

    private func holdLonger(_ random: RandomSource) async throws(Stopped) {
        let id = RecordID(Ledger.twins.left, "p\(random.draw(upTo: Self.pairs - 1))")
        if let fence = board[id]?.fence { try await extend(id, fence) }
    }

    /// Extends a hold; a hold that is lost tells what stands, which counts as an answer to a question.
    func extend(_ id: RecordID, _ fence: Fence) async throws(Stopped) {
        let number = report.newNumber()
        report(.asking(number))
        do {
            switch try await store.extend(id, fence: fence, lease: .milliseconds(20)) {
            case .extended: report(.answered(number, []))
            case .lost(_, let standing):
                let seen = standing.map(sighting) ?? Sighting(id: id, version: nil)
                report(.answered(number, [seen]))
                board[id] = seen.version
            }
        } catch {
            throw failed(number, error)
        }
    }

    /// Reads both records of a key.
    private func look(_ random: RandomSource) async throws(Stopped) {
        let number = report.newNumber()
        let ids =
            random.draw(upTo: 1) == 0
            ? [Ledger.twins.left, Ledger.twins.right].map { RecordID($0, "p\(number % UInt64(Self.pairs))") }
            : ["inbox", "outbox"].map { RecordID($0, "m\(number % UInt64(Self.letters))") }
        report(.asking(number))
        do {
            let records = try await store.read(ids).records
            let seen = zip(ids, records).map { id, record in
                record.map(sighting) ?? Sighting(id: id, version: nil)
            }
            report(.answered(number, seen))
            for entry in seen { board[entry.id] = entry.version }
        } catch {
            throw failed(number, error)
        }
    }

    private func page(_ random: RandomSource) async throws(Stopped) {
        let number = report.newNumber()
        report(.asking(number))
        do {
            let collection = Self.collections[Int(random.draw(upTo: Int64(Self.collections.count) - 1))]
            let page = try await store.scan(collection, state: nil, after: nil, limit: 10)
            report(.answered(number, page.records.map(sighting)))
        } catch {
            throw failed(number, error)
        }
    }

    /// Content of a record that is due at once or soon, mostly in the order of others.
    private func content(_ number: UInt64, _ random: RandomSource) -> RecordContent {
        RecordContent(
            state: ["ready", "busy", "done"][Int(random.draw(upTo: 2))], body: Payload.body(of: number),
            headers: number.isMultiple(of: 4) ? ["number": "\(number)"] : [:],
            orderKey: number.isMultiple(of: 3) ? nil : "order\(number % 4)",
            due: .after(.milliseconds(random.draw(upTo: 3))))
    }

    private func duration(_ random: RandomSource) -> Duration { .milliseconds(1 + random.draw(upTo: 20)) }
}
