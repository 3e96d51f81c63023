// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// The store that is opened again and again: every key claimed and completed, closed, never rewritten.
actor PreparedStore {
    static let shared = PreparedStore()

    private var made: String?

    /// The path of its journal.
    func journal(_ meter: Meter) async throws -> String {
        let directory = try await directory(meter)
        let names = try SystemFileSystem().names(in: directory)
        guard let journal = names.filter({ $0.hasPrefix("journal") }).max() else {
            preconditionFailure("A store without a journal in \(directory)")
        }
        return "\(directory)/\(journal)"
    }

    /// The path of its directory.
    func directory(_ meter: Meter) async throws -> String {
        if let made { return made }
        let directory = try meter.scratch.newPath("prepared")
        let store = try FileRecordStore(directory: directory)
        try await settleAll(0..<meter.count, in: store)
        try await store.close()
        made = directory
        return directory
    }
}

/// Claims and completes the keys of those numbers in large batches.
func settleAll(_ numbers: Range<Int>, in store: some RecordStore) async throws {
    let batch = 500
    for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: batch) {
        let numbers = start..<min(start + batch, numbers.upperBound)
        let ids = numbers.map { RecordID("benchmark", Keys.all[$0]) }
        let lease = Lease(.seconds(30))
        let claims = ids.map { Change.insert($0, RecordContent(state: "in-progress"), lease: lease) }
        guard case .committed(let claimed) = try await store.commit(claims) else { continue }
        let completions = zip(zip(ids, claimed.fences), numbers).map { entry, number in
            Change.replace(
                entry.0, expecting: entry.1,
                with: RecordContent(state: "completed", body: Keys.response(number)), lease: .end)
        }
        _ = try await store.commit(completions)
    }
}
