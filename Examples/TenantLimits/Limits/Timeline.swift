// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Counts over time, in a bounded number of buckets of the same width, however long the time becomes.
struct Timeline: Equatable {
    struct Bucket: Equatable {
        /// What came in the bucket's seconds.
        var counts = Counts()
        /// The most of what had come in a period that ended in one of the bucket's seconds.
        var most = Counts()
    }

    static let mostBuckets = 360

    /// The first second.
    let start: Int64
    /// The seconds of a bucket.
    private(set) var width: Int64 = 1
    private(set) var buckets: [Bucket] = []

    init(start: Int64) { self.start = start }

    /// The second after the last bucket.
    var end: Int64 { start + Int64(buckets.count) * width }

    /// The most of what came in a period, wherever it ends.
    var most: Counts {
        buckets.reduce(into: Counts()) { $0.formMaximum($1.most) }
    }

    /// Adds what came in a second that is not before the start.
    ///
    /// - Parameter most: What has come in the period that ends with that second.
    mutating func add(_ counts: Counts, most: Counts, at second: Int64) {
        let index = extend(to: second)
        buckets[index].counts += counts
        buckets[index].most.formMaximum(most)
    }

    /// Adds the buckets up to a second, and returns the index of the bucket that it is in.
    @discardableResult
    mutating func extend(to second: Int64) -> Int {
        while (second - start) / width >= Int64(Self.mostBuckets) { halve() }
        let index = Int((second - start) / width)
        while buckets.count <= index { buckets.append(Bucket()) }
        return index
    }

    /// Makes one bucket of two.
    private mutating func halve() {
        width *= 2
        buckets = stride(from: 0, to: buckets.count, by: 2).map { index in
            var bucket = buckets[index]
            if index + 1 < buckets.count {
                bucket.counts += buckets[index + 1].counts
                bucket.most.formMaximum(buckets[index + 1].most)
            }
            return bucket
        }
    }
}

/// Counts what passes in each second, some of it in seconds to come, and sees what a period had that ends there.
struct Recorder {
    private let period: Int64
    /// The counts of the seconds that a period sees, and of those in which something that has come may pass.
    private var ring: [Counts]
    /// How much is in the ring.
    private var inRing = 0
    /// What is in the period that ends with the second before the present one.
    private var sums = Counts()
    /// The second that is counted now.
    private var present: Int64
    /// The last second in which something passes.
    private var last: Int64
    private var line: Timeline

    /// - Parameters:
    ///   - period: How many seconds are seen together.
    ///   - wait: How many seconds after the present one something may pass.
    init(period: Int64, wait: Int64, start: Int64) {
        self.period = period
        ring = Array(repeating: Counts(), count: Int(period + wait + 1))
        (present, last) = (start, start)
        line = Timeline(start: start)
    }

    /// Counts one, at the present second or later.
    mutating func count(_ column: Column, at second: Int64) {
        ring[place(second)][column] += 1
        inRing += 1
        last = max(last, second)
    }

    /// Goes on to a second.
    mutating func advance(to second: Int64) {
        while present < second {
            // Nothing comes of the seconds in between.
            guard inRing > 0 else { return present = second }
            close()
        }
    }

    /// The timeline up to the present second, or until everything has passed.
    mutating func finish() -> Timeline {
        let end = max(last, present)
        advance(to: end + 1)
        line.extend(to: end)
        return line
    }

    private mutating func close() {
        let counts = ring[place(present)]
        sums += counts
        line.add(counts, most: sums, at: present)
        let oldest = place(present - period + 1)
        sums -= ring[oldest]
        inRing -= ring[oldest].sum
        ring[oldest] = Counts()
        present += 1
    }

    private func place(_ second: Int64) -> Int {
        // A period that ends soon after 1970 begins before.
        let place = Int(second % Int64(ring.count))
        return place < 0 ? place + ring.count : place
    }
}
