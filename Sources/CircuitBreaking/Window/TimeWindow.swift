// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The results of the last span of time, added up in buckets of equal length.
///
/// Bucket `k` covers the time from `k * bucketLength` on, for that long. The window is the bucket of the present and
/// those before it: a whole bucket leaves at once when a new one begins. So nothing in it is older than the window's
/// length, and everything is that is younger by a bucket.
struct TimeWindow: Sendable {
    private struct Bucket {
        var calls = 0
        var failures = 0
        var slowCalls = 0
    }

    private let bucketLength: Int64
    private var buckets: [Bucket]
    private var present = 0
    /// When the present bucket is over.
    private(set) var end: Int64
    private var totals = Bucket()

    /// Makes an empty window. `length` divided by the number of buckets is rounded down to whole nanoseconds, at least
    /// one.
    init(length: Int64, buckets count: Int) {
        bucketLength = max(1, length / Int64(count))
        buckets = Array(repeating: Bucket(), count: count)
        end = bucketLength
    }

    var calls: Int { totals.calls }
    var failures: Int { totals.failures }
    var slowCalls: Int { totals.slowCalls }

    /// Lets the buckets leave that are too old at `now`; any number of idle ones in one step.
    mutating func advance(to now: Int64) {
        guard now >= end else { return }
        let steps = (now - end) / bucketLength + 1
        if steps >= Int64(buckets.count) {
            clear()
        } else {
            for _ in 0..<steps {
                present = present + 1 == buckets.count ? 0 : present + 1
                let left = buckets[present]
                totals.calls -= left.calls
                totals.failures -= left.failures
                totals.slowCalls -= left.slowCalls
                buckets[present] = Bucket()
            }
        }
        end = end.addingSaturating(steps.multipliedSaturating(by: bucketLength))
    }

    /// Adds a result to the present bucket.
    mutating func record(failed: Bool, slow: Bool) {
        add(Bucket(calls: 1, failures: failed ? 1 : 0, slowCalls: slow ? 1 : 0))
    }

    /// Adds so many results that neither failed nor were slow to the present bucket.
    mutating func recordGood(_ number: Int) { add(Bucket(calls: number)) }

    private mutating func add(_ results: Bucket) {
        buckets[present].calls += results.calls
        buckets[present].failures += results.failures
        buckets[present].slowCalls += results.slowCalls
        totals.calls += results.calls
        totals.failures += results.failures
        totals.slowCalls += results.slowCalls
    }

    /// Forgets every result.
    mutating func clear() {
        guard totals.calls > 0 else { return }
        for index in buckets.indices { buckets[index] = Bucket() }
        totals = Bucket()
    }
}
