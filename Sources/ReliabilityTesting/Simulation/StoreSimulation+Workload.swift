// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore

/// Random work for a store.
extension StoreSimulation {
    static let collections = ["x", "y"]
    static let ids = collections.flatMap { name in (0..<5).map { RecordID(name, "\($0)") } }

    /// The operations of the disk just before which calls come, the frequent ones for the most part.
    static let interruptions: [DiskOperation.Kind] = [
        .write, .write, .write, .sync, .sync, .sync, .isLinked, .create, .rename, .remove, .syncDirectory,
    ]

    mutating func draw(_ count: Int) -> Int { Int(random.draw(upTo: Int64(count - 1))) }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[draw(values.count)] }

    /// Starts a call or several, lets the store do something, or lets time pass.
    package mutating func act(atOnce: Int = 1) throws(Violation) {
        comesMeanwhile = draw(4) == 0 ? pick(Self.interruptions) : nil
        switch draw(100) {
        case 0..<34: for _ in 0...draw(atOnce) { try change() }
        case 34..<42: try claim()
        case 42..<46: try extend()
        case 46..<52: try read()
        case 52..<54: try purge()
        case 54..<55: try compact()
        case 55..<56: disk.capacity = draw(2) == 0 ? nil : disk.capacity
        case 56..<60: clock.advance(by: pick([.milliseconds(1), .milliseconds(400), .seconds(3)]))
        default: try step()
        }
    }

    /// Commits some changes, to what stands and to what does not.
    mutating func change() throws(Violation) {
        var standing: [RecordID: Fence] = [:]
        for record in store?.tableInMemory.allRecords ?? [] { standing[record.id] = record.fence }
        var free = Self.ids.shuffled(using: &random)
        var changes: [Change] = []
        for _ in 0...draw(3) {
            guard let id = free.popLast() else { break }
            guard let fence = standing[id] else {
                let lease = draw(3) == 0 ? lease(.seconds(1)) : nil
                changes.append(.insert(id, content(), lease: lease))
                continue
            }
            switch draw(8) {
            case 0, 1: changes.append(.delete(id, expecting: fence))
            case 2:
                guard let other = free.popLast() else { break }
                changes.append(.move(id, to: other, expecting: fence, with: content(), lease: .end))
            case 3: changes.append(.assert(id, fence))
            default: changes.append(.replace(id, expecting: fence, with: content(), lease: .keep))
            }
        }
        guard !changes.isEmpty else { return }
        try commit(changes)
    }

    mutating func commit(_ changes: [Change]) throws(Violation) {
        try start("commit \(changes.map(\.story).joined(separator: ", "))") { store in
            guard case .committed(let committed) = try await store.commit(changes) else { return Shown() }
            let ids = changes.compactMap { change -> RecordID? in
                switch change {
                case .insert(let id, _, _), .replace(let id, _, _, _): id
                case .move(_, let id, _, _, _): id
                case .delete, .assert: nil
                }
            }
            return Shown(fences: Array(zip(ids, committed.fences)))
        }
    }

    private mutating func content() -> RecordContent {
        let byte = UInt8(random.draw(upTo: 255))
        let body = [UInt8](repeating: byte, count: pick([0, 10, 90, 300, 700]))
        return RecordContent(
            state: pick(["a", "b"]), body: body, headers: draw(4) == 0 ? ["h": "\(byte)"] : [:],
            orderKey: pick([nil, "k", "l"]), due: draw(4) == 0 ? .never : .after(pick([.zero, .seconds(1)])),
            expires: pick([.never, .never, .after(.milliseconds(500)), .after(.seconds(4))]))
    }

    private mutating func claim() throws(Violation) {
        let selection: ClaimRequest.Selection =
            draw(2) == 0 ? .due(collection: pick(Self.collections), limit: 2) : .ids([pick(Self.ids)])
        try claim(selection, for: pick([.zero, .seconds(1), .seconds(5)]))
    }

    mutating func claim(_ selection: ClaimRequest.Selection, for duration: Duration) throws(Violation) {
        let lease = lease(duration)
        try start("claim \(selection)") { store in
            let claimed = try await store.claim(ClaimRequest(selection, lease: lease)).claimed
            return Shown(fences: claimed.map { ($0.id, $0.fence) }, positions: claimed.map(\.position))
        }
    }

    /// A hold by the process that has the store open.
    mutating func lease(_ duration: Duration) -> Lease {
        Lease(duration, holder: Holder(nonce: random.next(), process: process))
    }

    private mutating func extend() throws(Violation) {
        guard let record = store?.tableInMemory.allRecords.first(where: { $0.holder != nil }) else { return }
        try extend(record)
    }

    mutating func extend(_ record: Record) throws(Violation) {
        try start("extend \(record.id)") { store in
            _ = try await store.extend(record.id, fence: record.fence, lease: .seconds(2))
            return Shown()
        }
    }

    mutating func read(_ ids: [RecordID]) throws(Violation) {
        try start("read") { store in
            let records = try await store.read(ids).records.compactMap(\.self)
            return Shown(positions: records.map(\.position))
        }
    }

    private mutating func read() throws(Violation) {
        let collection = pick(Self.collections)
        if draw(2) == 0 {
            try read(Self.ids)
        } else {
            try start("scan \(collection)") { store in
                let page = try await store.scan(collection, state: nil, after: nil, limit: 100)
                return Shown(positions: page.records.map(\.position))
            }
        }
    }

    mutating func compact() throws(Violation) {
        try start("compact") { store in
            try await store.compact()
            return Shown()
        }
    }

    mutating func purge() throws(Violation) {
        try start("purge") { store in
            _ = try await store.purgeExpired(limit: 100)
            return Shown()
        }
    }
}

extension Change {
    fileprivate var story: String {
        switch self {
        case .insert(let id, let content, _): "insert \(id) (\(content.body.count))"
        case .replace(let id, _, let content, _): "replace \(id) (\(content.body.count))"
        case .move(let id, let other, _, let content, _): "move \(id) to \(other) (\(content.body.count))"
        case .delete(let id, _): "delete \(id)"
        case .assert(let id, _): "assert \(id)"
        }
    }
}
