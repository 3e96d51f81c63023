// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The results of the last calls: a bit for each that tells whether it failed, and one that tells whether it was slow.
struct CountWindow: Sendable {
    let capacity: Int
    private(set) var calls = 0
    private var failed: BitRing
    /// `nil` where nobody asks for slow calls.
    private var slow: BitRing?
    private var next = 0

    init(capacity: Int, tracksSlowCalls: Bool) {
        self.capacity = capacity
        failed = BitRing(capacity: capacity)
        slow = tracksSlowCalls ? BitRing(capacity: capacity) : nil
    }

    var failures: Int { failed.count }
    var slowCalls: Int { slow?.count ?? 0 }

    /// Adds a result; when the window is full, the oldest makes room for it.
    mutating func record(failed isFailed: Bool, slow isSlow: Bool) {
        failed.write(isFailed, at: next)
        slow?.write(isSlow, at: next)
        calls = min(calls + 1, capacity)
        next = next + 1 == capacity ? 0 : next + 1
    }

    /// Adds so many results that neither failed nor were slow, at most a window of them.
    mutating func recordGood(_ number: Int) {
        let end = next + number
        clear(next..<min(end, capacity))
        if end > capacity { clear(0..<end - capacity) }
        calls = min(calls + number, capacity)
        next = end >= capacity ? end - capacity : end
    }

    /// Forgets every result.
    mutating func clear() {
        clear(0..<capacity)
        calls = 0
    }

    private mutating func clear(_ range: Range<Int>) {
        failed.clear(range)
        slow?.clear(range)
    }
}
