// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A clock reduced to "nanoseconds since I was made", so that no primitive is generic over its clock.
///
/// `ContinuousClock` is read by its system call directly, which is what `ContinuousClock.now` does in the end, at two
/// thirds of the cost; any other clock is read through a closure. Readings of one time source never decrease as
/// long as its clock does not go backwards; a core that must not depend on that keeps `max(now, last)` itself.
package struct TimeSource: Sendable {
    // Fields of fixed layout: a `ContinuousClock.Instant` has none, and that would add a quarter to a reading.

    /// The raw reading of the system's continuous clock at the time of making.
    private let origin: Int64
    /// Reads any other clock; `nil` for the system's.
    private let reading: (@Sendable () -> Int64)?
    private let sleeping: @Sendable (Int64) async throws -> Void

    package init(_ clock: any Clock<Duration>) {
        // In this order the clock's start is not before the origin, so a sleep until start + n ends at n or later.
        origin = Self.continuousNanoseconds()
        let erased = Self.erasing(clock)
        reading = clock is ContinuousClock ? nil : erased.now
        sleeping = erased.sleep
    }

    private static func erasing(
        _ clock: some Clock<Duration>
    ) -> (now: @Sendable () -> Int64, sleep: @Sendable (Int64) async throws -> Void) {
        let start = clock.now
        return (
            now: { start.duration(to: clock.now).nanosecondsRoundedDown },
            sleep: { try await clock.sleep(until: start.advanced(by: .nanoseconds($0)), tolerance: nil) }
        )
    }

    /// Whether both were made in one call, or at the same nanosecond of the system's clock.
    func isCopy(of other: TimeSource) -> Bool { origin == other.origin }

    /// Nanoseconds since this time source was made.
    package func now() -> Int64 {
        if let reading { reading() } else { Self.continuousNanoseconds() &- origin }
    }

    /// Suspends until ``now()`` is at least `nanoseconds`; throws `CancellationError` as soon as the task is cancelled.
    package func sleep(until nanoseconds: Int64) async throws {
        try await sleeping(nanoseconds)
    }

    /// Suspends for at least `duration`; throws `CancellationError` as soon as the task is cancelled.
    package func sleep(for duration: Duration) async throws {
        try await sleep(until: now().addingSaturating(duration.nanosecondsRoundedUp))
    }

    private static func continuousNanoseconds() -> Int64 {
        #if canImport(Darwin)
        Int64(clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW))
        #else
        Self.read(CLOCK_BOOTTIME)
        #endif
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// The wall clock: nanoseconds since 1970 in UTC. It can be set, so it never measures an interval.
    package static func wallClockNanoseconds() -> Int64 {
        read(CLOCK_REALTIME)
    }
}
