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
    private enum Kind: Sendable {
        /// The system's continuous clock: its raw reading and its instant at the time of making.
        case continuous(origin: Int64, instant: ContinuousClock.Instant)
        /// Any other clock, behind closures over the instant of making.
        case erased(now: @Sendable () -> Int64, sleep: @Sendable (Int64) async throws -> Void)
    }

    private let kind: Kind

    package init(_ clock: any Clock<Duration>) {
        if clock is ContinuousClock {
            // Read in this order: the instant is not before the origin, so a sleep until origin + n ends at n or later.
            let origin = Self.continuousNanoseconds()
            kind = .continuous(origin: origin, instant: ContinuousClock.now)
        } else {
            kind = Self.erasing(clock)
        }
    }

    private static func erasing(_ clock: some Clock<Duration>) -> Kind {
        let start = clock.now
        return .erased(
            now: { start.duration(to: clock.now).nanosecondsRoundedDown },
            sleep: { try await clock.sleep(until: start.advanced(by: .nanoseconds($0)), tolerance: nil) })
    }

    /// Nanoseconds since this time source was made.
    package func now() -> Int64 {
        switch kind {
        case .continuous(let origin, _): Self.continuousNanoseconds() &- origin
        case .erased(let now, _): now()
        }
    }

    /// Suspends until ``now()`` is at least `nanoseconds`; throws `CancellationError` as soon as the task is cancelled.
    package func sleep(until nanoseconds: Int64) async throws {
        switch kind {
        case .continuous(_, let instant):
            try await ContinuousClock().sleep(until: instant.advanced(by: .nanoseconds(nanoseconds)), tolerance: nil)
        case .erased(_, let sleep):
            try await sleep(nanoseconds)
        }
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
