// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What was counted of each client, for a bounded number of them.
///
/// When there is no room for another, those with the fewest requests, half of all, are put together into one account. So
/// who asks much is kept, whenever it comes; and who is there at the end has as many requests as it says, or more.
struct Ledger {
    struct Row: Equatable {
        let key: String
        var counts = Counts()
    }

    private let capacity: Int
    private var index: [String: Int] = [:]
    private var accounts: [Row] = []
    /// The accounts that there was no room for, together.
    private(set) var others = Counts()

    init(capacity: Int) { self.capacity = capacity }

    /// Every client that has an account, by falling number of requests.
    var rows: [Row] { accounts.sorted(by: Self.isBefore) }

    /// What a client has counted.
    func counts(of key: String) -> Counts? { index[key].map { accounts[$0].counts } }

    mutating func add(_ counts: Counts, to key: String) {
        if let place = index[key] {
            accounts[place].counts += counts
        } else {
            if accounts.count >= capacity { foldSmallest() }
            index[key] = accounts.count
            accounts.append(Row(key: key, counts: counts))
        }
    }

    private static func isBefore(_ lhs: Row, _ rhs: Row) -> Bool {
        let (left, right) = (lhs.counts[.requests], rhs.counts[.requests])
        return left == right ? lhs.key < rhs.key : left > right
    }

    private mutating func foldSmallest() {
        accounts.sort(by: Self.isBefore)
        for row in accounts[(capacity / 2)...] { others += row.counts }
        accounts.removeSubrange((capacity / 2)...)
        index = Dictionary(uniqueKeysWithValues: accounts.enumerated().map { ($1.key, $0) })
    }
}
