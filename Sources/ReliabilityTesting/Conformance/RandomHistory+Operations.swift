// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// The operations of a random history: each draws its input, asks store and model, and compares.
extension RandomHistory {
    mutating func commit() async throws {
        var changes: [Change] = []
        let ids = someIDs(longestBatch)
        var named = ids
        for id in ids {
            let change = change(of: id, besides: named)
            named += [change.destination].compactMap(\.self)
            changes.append(change)
        }
        note("commit \(changes)")
        switch (try await bench.store.commit(changes), model.conflict(of: changes)) {
        case (.conflict(let conflict), let expected?):
            try check(conflict.now)
            try require(conflict.index, is: expected.index, "the index of the conflict")
            try require(conflict.standing, is: expected.standing, "what stands at the conflict")
        case (.committed(let committed), nil):
            try check(committed.now)
            try await apply(changes, committed.fences)
        case (.conflict(let conflict), nil):
            throw Violation("a batch met a conflict that is none: \(conflict)")
        case (.committed, let expected?):
            throw Violation("a batch went through despite the conflict of change \(expected.index)")
        }
    }

    private mutating func apply(_ changes: [Change], _ fences: [Fence]) async throws {
        var inserts: [RecordID] = []
        var changed: [RecordID] = []
        for change in changes {
            switch change {
            case .insert(let id, _, _):
                inserts.append(id)
                changed.append(id)
            case .replace(let id, _, _, _): changed.append(id)
            case .move(_, let destination, _, _, _): changed.append(destination)
            case .delete, .assert: break
            }
        }
        try require(fences.count, is: changed.count, "the number of fences")
        for (id, fence) in zip(changed, fences) { try take(fence, of: id) }
        var positions: [RecordID: UInt64] = [:]
        if !inserts.isEmpty {
            for (id, record) in zip(inserts, try await bench.store.read(inserts).records) {
                guard let record else { continue }
                try take(position: record.position, of: id)
                positions[id] = record.position
            }
        }
        model.apply(changes, fences: fences, positions: positions)
        // Drops what expires at once, and shows what should not have.
        model.begin(at: model.now)
        let touched = changed + changes.filter { $0.destination != nil }.map(\.id)
        if !touched.isEmpty { try await read(touched) }
    }

    private mutating func change(of id: RecordID, besides ids: [RecordID]) -> Change {
        let standing = model.find(id)
        if chance(8) {
            return pick([
                .insert(id, content(), lease: nil), .delete(id, expecting: someFence()), .assert(id, someFence()),
                .replace(id, expecting: someFence(), with: content(), lease: .end), .assert(id, nil),
            ])
        }
        guard let standing else {
            return chance(90) ? .insert(id, content(), lease: chance(30) ? lease() : nil) : .assert(id, nil)
        }
        // What an extension does where nobody holds is not promised.
        let lease: LeaseChange =
            chance(30) ? .end : chance(30) && standing.holder != nil ? .extend(duration()) : .keep
        switch random.draw(upTo: 11) {
        case 0: return .assert(id, standing.fence)
        case 1..<4: return .delete(id, expecting: standing.fence)
        case 4, 5:
            let others = self.ids.filter { !ids.contains($0) }
            guard let other = others.isEmpty ? nil : pick(others) else { return .assert(id, standing.fence) }
            let fence = chance(10) ? someFence() : standing.fence
            return .move(id, to: other, expecting: fence, with: content(), lease: lease)
        default:
            return .replace(id, expecting: standing.fence, with: content(), lease: lease)
        }
    }

    mutating func claimDue() async throws {
        let (collection, limit, lease) = (pick(Self.collections), pick([1, 1, 2, 100]), lease())
        note("claim \(limit) due in \(collection) for \(lease.duration)")
        let expected = model.due(in: collection, at: model.now).prefix(limit).map(\.id)
        let answer = try await bench.store.claim(
            ClaimRequest(.due(collection: collection, limit: limit), lease: lease))
        try check(answer.now)
        try require(answer.claimed.map(\.id), is: expected, "what was claimed")
        try require(answer.standing, are: [], "what stands in the way of a claim of due records")
        try hold(answer.claimed, lease)
        let exact = model.nextDueIn(collection)
        try require(
            model.allows(nextDueIn: answer.nextDueIn, in: collection),
            "nextDueIn is \(answer.nextDueIn.map { "\($0)" } ?? "nil"), expected \(exact.map { "\($0)" } ?? "nil")")
    }

    private mutating func hold(_ claimed: [Record], _ lease: Lease) throws {
        for record in claimed {
            try take(record.fence, of: record.id)
            model.hold(record.id, lease, record.fence)
        }
        // Compared before a lease of no time lets go of what has expired.
        try require(claimed, are: claimed.compactMap { model.find($0.id) }, "the claimed records")
    }

    mutating func claimByName() async throws {
        let (ids, lease) = (someIDs(4), lease())
        note("claim \(ids) for \(lease.duration)")
        let standing = ids.compactMap { model.find($0) }.sorted { $0.position < $1.position }
        let free = standing.filter { model.isClaimable($0, at: model.now) }
        let answer = try await bench.store.claim(ClaimRequest(.ids(ids), lease: lease))
        try check(answer.now)
        let claimed = answer.claimed.sorted { $0.position < $1.position }
        try require(claimed.map(\.id), is: free.map(\.id), "what was claimed")
        try require(
            answer.standing.sorted { $0.position < $1.position },
            are: standing.filter { record in !free.contains { $0.id == record.id } }, "what stands in the way")
        try require(answer.nextDueIn, is: nil, "nextDueIn of a claim by name")
        try hold(answer.claimed, lease)
    }

    mutating func extend() async throws {
        let held = model.records.filter { $0.holder != nil }
        let id = held.isEmpty || chance(20) ? pick(ids) : pick(held).id
        let fence = chance(10) ? someFence() : model.find(id)?.fence ?? someFence()
        let lease = duration()
        note("extend \(id) under \(fence) to \(lease)")
        let answer = try await bench.store.extend(id, fence: fence, lease: lease)
        switch (answer, model.extend(id, fence, lease: lease)) {
        case (.lost(let now, let standing), .lost(_, let expected)):
            try check(now)
            try require(standing, is: expected, "what stands when a hold is lost")
        case (let answer, let expected):
            try require(answer, is: expected, "the answer to an extend")
        }
    }

    mutating func read(_ ids: [RecordID]) async throws {
        note("read \(ids.count)")
        let answer = try await bench.store.read(ids)
        try check(answer.now)
        try require(answer.records.count, is: ids.count, "the number of answers to a read")
        for (id, record) in zip(ids, answer.records) { try require(record, is: model.find(id), "\(id)") }
    }

    mutating func scan() async throws {
        let (name, state, limit) = (pick(Self.collections), pick([nil, "a", "b"]), pick([1, 2, 3, 1_000]))
        let all = model.collection(name)
        let after = all.isEmpty || chance(30) ? nil : pick(all).position + UInt64(random.draw(upTo: 1))
        note("scan \(name) for \(state ?? "any state") after \(after ?? 0), at most \(limit)")
        let rest = all.filter { record in
            (state == nil || record.state == state) && (after.map { record.position > $0 } ?? true)
        }
        let answer = try await bench.store.scan(name, state: state, after: after, limit: limit)
        try check(answer.now)
        try require(
            RecordModel.allows(answer, of: rest, after: after, limit: limit, isExact: bench.suite.isExact),
            "a page of at most \(limit) shows \(answer.records) of \(rest) and leads on to "
                + (answer.next.map { "\($0)" } ?? "nothing"))
    }

    mutating func statistics() async throws {
        let name = pick(Self.collections)
        note("statistics of \(name)")
        let answer = try await bench.store.statistics(of: name)
        try check(answer.now)
        try require(answer.counts.filter { $0.value != 0 }, is: model.counts(name), "the counts")
        let oldestDue = model.oldestDue(name, isExact: bench.suite.isExact)
        try require(
            oldestDue.contains(answer.oldestDue),
            "oldestDue is \(answer.oldestDue.map { "\($0)" } ?? "nil"), expected one of \(oldestDue)")
        try require(answer.oldestCreated, is: model.oldestCreated(name), "oldestCreated")
    }

    mutating func purge() async throws {
        let limit = pick([1, 3, 1_000])
        note("purge at most \(limit)")
        let count = try await bench.store.purgeExpired(limit: limit)
        try require((0...limit).contains(count), "a purge of at most \(limit) took \(count)")
    }
}
