// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting

extension TableIdempotencyStore {
    func read(_ key: IdempotencyKey) async throws(StoreError) -> IdempotencyEntry? {
        try transaction { database, now in standing(key, database, now) }
    }

    func unresolved(
        _ operation: String, after cursor: IdempotencyCursor?, limit: Int
    ) async throws(StoreError) -> IdempotencyPage {
        let after = cursor.flatMap { IdempotencyKey(RecordID(IdempotencyKey.collection, $0.text)) }
        return try transaction { database, now in
            // A table from which the key can be read back: here from the record's name, which has all three parts.
            var found = keys(of: operation, database).filter { key in
                guard let row = row(key, database, now) else { return false }
                return switch (row.state, bug) {
                case (.unknown, _), (.inProgress, .listingsHaveWhatIsInProgress): true
                case (.inProgress, .listingsLeaveOutWhatLapsed): false
                case (.inProgress, _): row.leaseUntil <= now
                case (.released, _), (.completed, _): false
                }
            }
            if bug == .listingsGoOnByCount {
                let offset = Int(cursor?.text ?? "") ?? 0
                let page = found.dropFirst(offset).prefix(limit)
                let next = found.count > offset + limit ? IdempotencyCursor("\(offset + limit)") : nil
                return self.page(Array(page), next, database, now)
            }
            if let after { found.removeAll { Name($0, nil) <= Name(after, nil) } }
            let isLast = found.count <= limit
            found = Array(found.prefix(limit))
            let next = isLast ? nil : found.last.map { IdempotencyCursor($0.recordID.key) }
            return page(found, next, database, now)
        }
    }

    private func page(
        _ keys: [IdempotencyKey], _ next: IdempotencyCursor?, _ database: Database, _ now: Timestamp
    ) -> IdempotencyPage {
        IdempotencyPage(entries: keys.compactMap { standing($0, database, now) }, next: next)
    }

    private func keys(of operation: String, _ database: Database) -> [IdempotencyKey] {
        database.rows.keys.sorted().compactMap { name -> IdempotencyKey? in
            let parts = name.parts.map { String(decoding: $0, as: UTF8.self) }
            guard parts.count == 3 else { return nil }
            let isListed =
                bug == .listingsCompareCharacters ? parts[1] == operation : parts[1].utf8.elementsEqual(operation.utf8)
            guard isListed || bug == .listingsHaveOtherOperations else { return nil }
            return try? IdempotencyKey(tenant: parts[0], operation: parts[1], key: parts[2])
        }
    }

    func purge(limit: Int) async throws(StoreError) -> Int {
        try transaction { database, now in
            let gone = database.rows.filter { row in
                switch bug {
                case .purgesTakeUnknownKeys: row.value.isExpired(at: now, nil) || isUnknown(row.value, now)
                case .purgesTakeWhatIsCompleted: row.value.expiresAt != nil
                case .purgesTakeWhatIsOld: row.value.leaseUntil.advanced(by: .seconds(3_600)) < now
                default: row.value.isExpired(at: now, nil)
                }
            }
            let names = gone.keys.sorted().prefix(bug == .purgesTakeAll ? .max : limit)
            for name in names { database.rows[name] = nil }
            return names.count
        }
    }
}
