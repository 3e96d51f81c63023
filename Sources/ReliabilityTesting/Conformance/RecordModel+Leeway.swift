// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What the promises leave to a store, besides the numbers that it chooses.
extension RecordModel {
    /// Whether a claim may give that time: where records expire it may be too early, since a look then finds the next,
    /// and it is never too late.
    func allows(nextDueIn next: Duration?, in name: String) -> Bool {
        let exact = nextDueIn(name)
        guard next != exact else { return true }
        guard let next, next > .zero, exact != .zero, collection(name).contains(where: { $0.expiresAt != nil }) else {
            return false
        }
        return exact.map { next < $0 } ?? true
    }

    /// Whether a page may say that the next one starts there, if `rest` is all that the page could show: one that ends
    /// just where the collection does may lead to an empty one.
    static func allows(next: UInt64?, rest: [Record], limit: Int) -> Bool {
        guard let next else { return rest.count <= limit }
        return rest.count >= limit && next == rest[limit - 1].position
    }
}
