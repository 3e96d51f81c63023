// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// ``RecordLimits``: what is at a limit is taken and kept in full, what is past it is refused as a whole.
extension RecordStoreConformance {
    static let limitChecks = [
        Check("what is at a limit is taken and comes back unchanged") { bench in
            for (index, (field, id, content)) in sizes({ [$0.lowerBound, $0.upperBound] }).enumerated() {
                let id = RecordID(id.collection, id.key.isEmpty ? "\(index)" : id.key)
                let fence = try await bench.insert(id, content)
                for change in ["an insert", "a replace"] {
                    if change == "a replace" { try await bench.replace(id, fence, with: content) }
                    let record = try await bench.record(id)
                    try require(
                        record.id == id && record.state == content.state && record.body == content.body
                            && record.headers == content.headers && record.orderKey == content.orderKey,
                        "\(field) is not as \(change) put it")
                }
                try await bench.delete(id, try await bench.record(id).fence)
            }
        },
        Check("what is past a limit is refused with its name and size, and nothing is stored") { bench in
            for (field, id, content) in sizes({ [$0.lowerBound - 1, $0.upperBound + 1] }) {
                let id = RecordID(id.collection, id.key)
                let good = bench.id("good")
                try await refuse(field, nil, bench) { store throws(StoreError) in
                    _ = try await store.commit([.insert(good, .plain), .insert(id, content)])
                }
                try await bench.requireAbsent(good, "after a refused batch")
                guard field != "collection", field != "key" else { continue }
                let fence = try await bench.insert(good)
                let standing = try await bench.record(good)
                try await refuse(field, nil, bench) { store throws(StoreError) in
                    _ = try await store.commit([.replace(good, expecting: fence, with: content, lease: .end)])
                }
                try require(try await bench.record(good), is: standing, "a record whose replace was refused")
                try await bench.delete(good, fence)
            }
            try require(try await bench.scanAll("x"), are: [], "what stands after refusals")
        },
        Check("a state is printable ASCII") { bench in
            let id = bench.id("a")
            try await bench.insert(id, RecordContent(state: " ~"))
            for state in ["é", "e\u{301}", "\u{1F}", "\u{7F}", "a\n", "\0"] {
                let error = await bench.error { store throws(StoreError) in
                    _ = try await store.commit([.insert(bench.id("b"), RecordContent(state: state))])
                }
                guard case .refused = error else { throw Violation("the state \(state.debugDescription) was taken") }
                try await bench.requireAbsent(bench.id("b"), "after its state was refused")
            }
        },
        Check("a batch has 1 to 1,000 changes") { bench in
            let changes = (0...1_000).map { Change.insert(bench.id("\($0)"), .plain) }
            for batch in [[], changes] {
                try await refuse(nil, RecordLimits.changes, bench) { store throws(StoreError) in
                    _ = try await store.commit(batch)
                }
                try require(try await bench.scanAll(), are: [], "what stands after a refused batch")
            }
            guard case .committed(let answer) = try await bench.store.commit(changes.dropLast()) else {
                throw Violation("a batch of 1,000 inserts met a conflict")
            }
            try require(answer.fences.count, is: 1_000, "the number of fences")
            try require(try await bench.scanAll().map(\.id), is: changes.dropLast().map(\.id), "what stands")
        },
        Check("the bodies and headers of a batch have a limit together") { bench in
            let full = RecordLimits.body.upperBound
            let sizes = Array(repeating: full, count: RecordLimits.batch.upperBound / full - 1) + [full - 5]
            func changes(header: String) -> [Change] {
                sizes.enumerated().map { index, size in
                    let headers = size < full ? ["h": header] : [:]
                    let body = [UInt8](repeating: UInt8(index), count: size)
                    return .insert(bench.id("\(index)"), RecordContent(state: "x", body: body, headers: headers))
                }
            }
            try await refuse("batch", RecordLimits.batch, bench) { store throws(StoreError) in
                _ = try await store.commit(changes(header: "12345"))
            }
            try require(try await bench.scanAll(), are: [], "what stands after a refused batch")
            guard case .committed = try await bench.store.commit(changes(header: "1234")) else {
                throw Violation("a batch at the limit met a conflict")
            }
            try require(try await bench.scanAll().map(\.body.count), is: sizes, "the sizes that stand")
        },
        Check("reads, claims and pages are of 1 to 1,000") { bench in
            let lease = Lease(.seconds(1))
            let ids = (0...1_000).map { bench.id("\($0)") }
            let page = RecordLimits.page
            for names in [[], ids] {
                try await refuse(nil, page, bench) { store throws(StoreError) in _ = try await store.read(names) }
                try await refuse(nil, page, bench) { store throws(StoreError) in
                    _ = try await store.claim(ClaimRequest(.ids(names), lease: lease))
                }
            }
            let collection = ConformanceBench.collection
            for limit in [-1, 0, 1_001] {
                try await refuse(nil, page, bench) { store throws(StoreError) in
                    _ = try await store.claim(ClaimRequest(.due(collection: collection, limit: limit), lease: lease))
                }
                try await refuse(nil, page, bench) { store throws(StoreError) in
                    _ = try await store.scan(collection, state: nil, after: nil, limit: limit)
                }
            }
            let answer = try await bench.store.read(ids.dropLast())
            try require(answer.records, is: Array(repeating: nil, count: 1_000), "a read of 1,000")
        },
    ]

    /// Input whose field of that name has one of the sizes that `choose` takes from its limit.
    private static func sizes(
        _ choose: (ClosedRange<Int>) -> [Int]
    ) -> [(field: String, id: RecordID, content: RecordContent)] {
        func text(_ size: Int) -> String { String(repeating: "x", count: max(0, size)) }
        func each(
            _ field: String, _ limit: ClosedRange<Int>, _ make: (Int) -> (RecordID, RecordContent)
        ) -> [(String, RecordID, RecordContent)] {
            choose(limit).filter { $0 >= 0 }.map { size in
                let (id, content) = make(size)
                return (field, id, content)
            }
        }
        let id = RecordID("x", "past a limit")
        return each("collection", RecordLimits.collection) { (RecordID(text($0), "key"), .plain) }
            + each("key", RecordLimits.key) { (RecordID("x", text($0)), .plain) }
            // Counted in bytes: half as many letters of two bytes.
            + each("key", RecordLimits.key) {
                (RecordID("x", String(repeating: "é", count: $0 / 2) + text($0 % 2)), .plain)
            }
            + each("state", RecordLimits.state) { (id, RecordContent(state: text($0))) }
            + each("order key", RecordLimits.orderKey) { (id, RecordContent(state: "x", orderKey: text($0))) }
            + each("body", RecordLimits.body) {
                (id, RecordContent(state: "x", body: (0..<max(0, $0)).map { UInt8(truncatingIfNeeded: $0 * 7) }))
            }
            + each("headers", RecordLimits.headers) {
                (
                    id,
                    RecordContent(state: "x", headers: $0 == 0 ? [:] : ["né": text($0 / 2 - 3), "": text($0 - $0 / 2)])
                )
            }
    }

    private static func refuse(
        _ field: String?, _ allowed: ClosedRange<Int>?, _ bench: ConformanceBench,
        _ operation: (any RecordStore) async throws(StoreError) -> Void
    ) async throws {
        let error = await bench.error(operation)
        guard case .refused(let input) = error else {
            throw Violation("\(field ?? "input") past its limit ends with \(error.map { "\($0)" } ?? "success")")
        }
        if let field { try require(input.field, is: field, "the field that is refused") }
        if let allowed { try require(input.allowed, is: allowed, "the allowed sizes of \(input.field)") }
        try require(!input.allowed.contains(input.size), "\(input.field) is refused at the allowed size \(input.size)")
    }
}
