// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A record's name with its hash, which is computed once per operation.
///
/// A dictionary hashes the keys it is asked for, and all of its own when it grows. With the hash at hand it reads the
/// bytes of a name only to compare it with an equal one.
struct HashedID: Hashable {
    let id: RecordID
    private let hash: Int

    init(_ id: RecordID) {
        self.id = id
        hash = id.hashValue
    }

    static func == (lhs: HashedID, rhs: HashedID) -> Bool { lhs.hash == rhs.hash && lhs.id == rhs.id }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
