// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How many calls there were, and how many of them failed.
struct CallCounts: Sendable, Hashable {
    var calls = 0
    var failures = 0
}

/// The results of the last calls, one bit each, with running totals: recording takes constant time.
struct CountWindow: Sendable {
    private let capacity: Int
    /// The bit of a failed call is set. Bits that no call has written yet are not read.
    private var bits: [UInt64]
    private var next = 0
    private(set) var counts = CallCounts()

    init(capacity: Int) {
        self.capacity = capacity
        bits = Array(repeating: 0, count: (capacity + 63) / 64)
    }

    /// Forgets every result. The next may go anywhere: no bit is read before the window is full again.
    mutating func clear() {
        counts = CallCounts()
    }

    /// Adds a result; when the window is full, the oldest makes room for it.
    mutating func record(failed: Bool) {
        let (word, mask) = (next >> 6, UInt64(1) << UInt64(next & 63))
        if counts.calls < capacity {
            counts.calls += 1
        } else if bits[word] & mask != 0 {
            counts.failures -= 1
        }
        if failed {
            bits[word] |= mask
            counts.failures += 1
        } else {
            bits[word] &= ~mask
        }
        next = next + 1 == capacity ? 0 : next + 1
    }
}
