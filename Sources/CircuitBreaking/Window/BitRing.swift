// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A ring of bits that knows how many of them are set.
struct BitRing: Sendable {
    private var words: [UInt64]
    /// How many bits are set.
    private(set) var count = 0

    /// Makes a ring of clear bits.
    init(capacity: Int) { words = Array(repeating: 0, count: (capacity + 63) / 64) }

    /// Replaces the bit at the index.
    mutating func write(_ bit: Bool, at index: Int) {
        let (word, mask) = (index >> 6, UInt64(1) << UInt64(index & 63))
        let isSet = words[word] & mask != 0
        guard bit != isSet else { return }
        words[word] ^= mask
        count += bit ? 1 : -1
    }

    /// Clears the bits in the range, a word at a time.
    mutating func clear(_ range: Range<Int>) {
        guard count > 0 else { return }
        var index = range.lowerBound
        while index < range.upperBound {
            let (word, first) = (index >> 6, index & 63)
            let length = min(64 - first, range.upperBound - index)
            let mask = (~UInt64(0) >> UInt64(64 - length)) << UInt64(first)
            count -= (words[word] & mask).nonzeroBitCount
            words[word] &= ~mask
            index += length
        }
    }
}
