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
internal import Synchronization

// The operations of the floors. None is inlined into its loop, as no operation of a library is.

enum BareClock {
    /// The system's monotonic clock that goes on while the machine sleeps, in nanoseconds.
    @inline(never)
    static func now() -> Int64 { read() }

    @inline(__always)
    static func read() -> Int64 {
        #if canImport(Darwin)
        return Int64(clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW))
        #else
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        #endif
    }
}

/// A word that is moved by the clock, as a rate limiter without a lock does it.
final class BareWord: Sendable {
    private let word = Atomic<Int64>(0)

    func advance(_ count: Int) -> Int {
        var done = 0
        for _ in 0..<count where advance() { done += 1 }
        return done
    }

    @inline(never)
    private func advance() -> Bool {
        let now = BareClock.read()
        var before = word.load(ordering: .relaxed)
        while true {
            let after = max(before &+ 1, now)
            let (exchanged, current) = word.weakCompareExchange(expected: before, desired: after, ordering: .relaxed)
            if exchanged { return after > before }
            before = current
        }
    }
}

/// A counter under a lock.
final class BareLock: Sendable {
    private let counter = Mutex(0)

    func increment(_ count: Int) -> Int {
        var done = 0
        for _ in 0..<count where increment() > 0 { done += 1 }
        return done
    }

    @inline(never)
    private func increment() -> Int {
        counter.withLock { counter in
            counter += 1
            return counter
        }
    }
}

/// The operation that the asynchronous rows wrap: it suspends nowhere.
@inline(never)
func bareOperation(_ value: Int) async throws -> Int { value }

/// The generator SplitMix64 over a shared word.
final class BareGenerator: Sendable {
    private let word = Atomic<UInt64>(1)

    @inline(never)
    func next() -> UInt64 {
        var z = word.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// What an idempotency store keeps for a key at least.
struct BareSlot {
    var fence: UInt64 = 0
    var leaseUntil: Int64 = 0
    var fingerprint: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var response: [UInt8] = []
}

/// The least that an idempotency store in memory does: a lock and a dictionary.
final class BareTable: Sendable {
    private let slots = Mutex<[String: BareSlot]>([:])

    @inline(never)
    func claim(_ key: String) -> Bool {
        slots.withLock { slots in
            var slot = BareSlot()
            slot.fence = UInt64(slots.count)
            guard let present = slots.updateValue(slot, forKey: key) else { return true }
            slots[key] = present
            return false
        }
    }

    @inline(never)
    func complete(_ key: String, with response: [UInt8]) -> Bool {
        slots.withLock { slots in
            guard let index = slots.index(forKey: key) else { return false }
            slots.values[index].response = response
            return true
        }
    }

    @inline(never)
    func response(to key: String) -> [UInt8]? {
        slots.withLock { slots in slots[key]?.response }
    }
}
