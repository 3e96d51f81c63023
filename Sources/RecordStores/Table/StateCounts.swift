// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How many records of a collection stand in each state.
///
/// States are few, so they are kept in a list and looked for one after the other: comparing short texts costs less than
/// hashing them. With many states, each operation takes time linear in their number.
struct StateCounts {
    private var entries: [(state: String, count: Int)] = []

    var byState: [String: Int] {
        Dictionary(uniqueKeysWithValues: entries.lazy.map { ($0.state, $0.count) })
    }

    mutating func enter(_ state: String) {
        guard let index = entries.firstIndex(where: { $0.state == state }) else {
            return entries.append((state, 1))
        }
        entries[index].count += 1
    }

    mutating func leave(_ state: String) {
        guard let index = entries.firstIndex(where: { $0.state == state }) else {
            preconditionFailure("A record left the state \(state), in which there is none")
        }
        entries[index].count -= 1
        guard entries[index].count == 0 else { return }
        entries.swapAt(index, entries.count - 1)
        entries.removeLast()
    }
}
