// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CAllocationCounter
internal import ReliabilityCore

/// What one sample found.
struct Sample: Sendable {
    let operations: Int
    let nanoseconds: Int64
    /// `nil` unless the sample was taken to count them.
    var allocations: Int64?

    var nanosecondsPerOperation: Double { Double(nanoseconds) / Double(operations) }
}

/// An operation that did something else than its row says, so that its time would mean nothing.
struct WrongMeasurement: Error, CustomStringConvertible {
    let expected: Int
    let actual: Int

    var description: String { "\(actual) of \(expected) operations did what the row measures" }
}

/// Takes one sample.
///
/// A row prepares what it needs, then hands over a loop of ``count`` operations. The clock is read before the loop and
/// after it and nowhere else, so no cost of the harness is in a sample but the loop itself, which is the same in the
/// floors. A loop returns how many operations went as the row says; anything but all of them fails the row.
struct Meter: Sendable {
    let count: Int
    /// Counts allocations, which slows them down; such a sample's time is not used.
    var countsAllocations = false
    /// Where rows may put files; removed at the end of the run.
    let scratch: Scratch

    /// Measures a loop on the calling thread.
    func sync(_ loop: (Int) throws -> Int) throws -> Sample {
        begin()
        let start = ContinuousClock.now
        let done = try loop(count)
        let end = ContinuousClock.now
        return try finish(done, of: count, start.duration(to: end))
    }

    /// Measures a loop of asynchronous operations in the calling task.
    func async(_ loop: (Int) async throws -> Int) async throws -> Sample {
        begin()
        let start = ContinuousClock.now
        let done = try await loop(count)
        let end = ContinuousClock.now
        return try finish(done, of: count, start.duration(to: end))
    }

    /// Measures a loop that two threads run at the same time, each ``count`` times.
    ///
    /// They wait for each other in a spin before they start. The time is from the start to the end of the slower one,
    /// per operation of *one* thread: two operations complete in it.
    func twoThreads(_ loop: @escaping @Sendable (Int) -> Int) throws -> Sample {
        begin()
        let pair = try runOnTwoThreads { loop(count) }
        let sample = try finish(pair.done, of: 2 * count, pair.duration)
        return Sample(
            operations: count, nanoseconds: sample.nanoseconds, allocations: sample.allocations.map { $0 / 2 })
    }

    private func begin() {
        if countsAllocations { allocationCounterStart() }
    }

    private func finish(_ done: Int, of expected: Int, _ duration: Duration) throws -> Sample {
        let allocations = countsAllocations && allocationCounterWorks() ? allocationCounterStop() : nil
        guard done == expected else { throw WrongMeasurement(expected: expected, actual: done) }
        return Sample(
            operations: expected, nanoseconds: max(1, duration.nanosecondsRoundedUp), allocations: allocations)
    }
}

/// Uses a value in the eyes of the optimiser, which must then compute it.
@inline(never) @_optimize(none)
func blackHole<Value>(_ value: Value) {}
