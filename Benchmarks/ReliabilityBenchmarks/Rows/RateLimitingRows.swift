// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
internal import RateLimiting
internal import ReliabilityCore
internal import Synchronization

extension Row {
    static let rateLimiting = tokenBucket + otherLimiters + keyedLimiters

    private static let tokenBucket = [
        Row("RateLimiting", "token bucket, allowed", floor: Floor.clockAndWord) { meter in
            let bucket = generousBucket()
            return try meter.sync { count in allowed(count) { bucket.tryAcquire() } }
        },
        Row("RateLimiting", "token bucket, denied", floor: Floor.clock) { meter in
            let bucket = TokenBucket(.per(.seconds(86_400), 1))
            _ = bucket.tryAcquire()
            return try meter.sync { count in
                var denied = 0
                for _ in 0..<count where !bucket.tryAcquire().allowed { denied += 1 }
                return denied
            }
        },
        Row("RateLimiting", "token bucket, two threads", floor: Floor.clockAndWordShared) { meter in
            let bucket = generousBucket()
            return try meter.twoThreads { count in allowed(count) { bucket.tryAcquire() } }
        },
        Row("RateLimiting", "token bucket, acquire without a wait", floor: Floor.await) { meter in
            let bucket = generousBucket()
            return try await meter.async { count in
                for _ in 0..<count { try await bucket.acquire() }
                return count
            }
        },
        Row("RateLimiting", "token bucket, run without a wait", floor: Floor.await) { meter in
            let bucket = generousBucket()
            return try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await bucket.run { try await bareOperation(1) } }
                return done
            }
        },
        Row("RateLimiting", "token bucket, reserve and cancel", floor: LimiterFloor.clockAndLock) { meter in
            let bucket = generousBucket()
            return try meter.sync { count in
                for _ in 0..<count { try bucket.reserve().cancel() }
                return count
            }
        },
    ]

    private static let otherLimiters = [
        Row("Floors", LimiterFloor.clockAndLock, floor: nil) { meter in
            let lock = ClockedLock()
            return try meter.sync { count in allowed(count, lock.advance) }
        },
        Row("RateLimiting", "sliding window log of 1,000, allowed", floor: LimiterFloor.clockAndLock) { meter in
            // A thousand fit into the time that they take, so the log is always full and always moves.
            let log = SlidingWindowLog(.per(.microseconds(1), 1_000))
            return try meter.sync { count in allowed(count) { log.tryAcquire() } }
        },
        Row("RateLimiting", "sliding window counter, allowed", floor: LimiterFloor.clockAndLock) { meter in
            let counter = SlidingWindowCounter(.perSecond(1_000_000_000))
            return try meter.sync { count in allowed(count) { counter.tryAcquire() } }
        },
        Row("RateLimiting", "fixed window, allowed", floor: LimiterFloor.clockAndLock) { meter in
            let window = FixedWindow(.perSecond(1_000_000_000))
            return try meter.sync { count in allowed(count) { window.tryAcquire() } }
        },
        Row("RateLimiting", "leaky bucket, denied", floor: LimiterFloor.clockAndLock) { meter in
            let bucket = LeakyBucket(.per(.seconds(86_400), 1))
            _ = bucket.tryAcquire()
            return try meter.sync { count in
                var denied = 0
                for _ in 0..<count where !bucket.tryAcquire().allowed { denied += 1 }
                return denied
            }
        },
        Row("RateLimiting", "composite of three, allowed", floor: LimiterFloor.clockAndLock) { meter in
            let composite = CompositeRateLimiter([
                generousBucket(), generousBucket(), FixedWindow(.perSecond(1_000_000_000)),
            ])
            return try meter.sync { count in
                var done = 0
                for _ in 0..<count where composite.tryAcquire().allowed { done += 1 }
                return done
            }
        },
    ]

    private static let keyedLimiters =
        [1_000, 100_000, 1_000_000].flatMap { keyed($0) } + [
            Row(
                "RateLimiting", "keyed token bucket, \(name(of: 100_000)), two threads",
                floor: "keyed token bucket, \(name(of: 100_000))", count: .fixed(200_000, smoke: 1_000)
            ) { meter in
                let bench = KeyedBench.of(min(100_000, meter.count))
                let turn = Atomic<Int>(0)
                return try meter.twoThreads { count in
                    let isFirst = turn.add(1, ordering: .relaxed).newValue.isMultiple(of: 2)
                    return bench.limit(count, from: isFirst ? 0 : bench.keys.count / 2)
                }
            },
            Row(
                "RateLimiting", "keyed token bucket, a new key when all places are in use",
                floor: "dictionary update + clock read, \(name(of: 100_000))", count: .fixed(100_000, smoke: 1_000)
            ) { meter in
                let bench = KeyedBench.of(min(100_000, meter.count))
                let limiter = KeyedRateLimiter<String>(.per(.seconds(86_400), 1), maximumKeys: bench.keys.count / 2)
                for key in bench.keys { _ = limiter.tryAcquire(key) }
                return try meter.sync { count in
                    var denied = 0
                    for _ in 0..<(count / bench.keys.count) {
                        for key in bench.keys where !limiter.tryAcquire(key).allowed { denied += 1 }
                    }
                    return denied
                }
            },
        ]

    private static func name(of keys: Int) -> String {
        keys < 1_000_000 ? "\(keys / 1_000) thousand keys" : "\(keys / 1_000_000) million keys"
    }

    private static func keyed(_ keys: Int) -> [Row] {
        let count = Count.fixed(max(keys, 200_000), smoke: 1_000)
        let floor = "dictionary update + clock read, \(name(of: keys))"
        let room: @Sendable (Meter) -> [Detail] = { meter in
            let bench = KeyedBench.of(min(keys, meter.count))
            return [Detail(name: "bytes a key", value: bench.bytesOfKey(), unit: "")]
        }
        return [
            Row("Floors", floor, floor: nil, count: count) { meter in
                let bench = KeyedBench.of(min(keys, meter.count))
                return try meter.sync { count in bench.update(count) }
            },
            Row(
                "RateLimiting", "keyed token bucket, \(name(of: keys))", floor: floor, count: count,
                details: keys < 1_000_000 ? nil : room
            ) { meter in
                let bench = KeyedBench.of(min(keys, meter.count))
                return try meter.sync { count in bench.limit(count, from: 0) }
            },
        ]
    }

    /// A bucket that no loop empties.
    private static func generousBucket() -> TokenBucket {
        TokenBucket(.perSecond(1_000_000_000, burst: 1_000_000_000))
    }

    @inline(__always)
    private static func allowed(_ count: Int, _ tryAcquire: () -> RateLimitDecision) -> Int {
        var allowed = 0
        for _ in 0..<count where tryAcquire().allowed { allowed += 1 }
        return allowed
    }

    @inline(__always)
    private static func allowed(_ count: Int, _ advance: () -> Bool) -> Int {
        var allowed = 0
        for _ in 0..<count where advance() { allowed += 1 }
        return allowed
    }
}

private enum LimiterFloor {
    static let clockAndLock = "clock read + lock round trip"
}

/// A number under a lock that is moved by the clock.
private final class ClockedLock: Sendable {
    private let word = Mutex<Int64>(0)

    @inline(never)
    func advance() -> Bool {
        let now = BareClock.read()
        return word.withLock { word in
            word = max(word &+ 1, now)
            return word >= now
        }
    }
}

/// Keys, a dictionary and a limiter that have them, and the same keys as other objects in another order, as requests
/// bring them.
private final class KeyedBench: Sendable {
    let keys: [String]
    private let copies: [String]
    private let limiter: KeyedRateLimiter<String>
    private let dictionary: Mutex<[String: Int64]>

    private static let made = Mutex<[Int: KeyedBench]>([:])

    /// The one for so many keys, made when it is asked for first.
    static func of(_ count: Int) -> KeyedBench {
        made.withLock { made in
            if let bench = made[count] { return bench }
            let bench = KeyedBench(count)
            made[count] = bench
            return bench
        }
    }

    private init(_ count: Int) {
        let keys = (0..<count).map { Self.key($0) }
        self.keys = keys
        copies = keys.indices.shuffled().map { String(decoding: Array(keys[$0].utf8), as: UTF8.self) }
        limiter = Self.limiter(of: keys)
        dictionary = Mutex(Dictionary(uniqueKeysWithValues: keys.map { ($0, 0) }))
    }

    /// A key of 24 to 40 bytes, another for every number, with nothing that the keys have in common.
    private static func key(_ number: Int) -> String {
        let random = RandomSource.seeded(UInt64(number))
        var bytes = Array("\(number)-".utf8)
        let length = 24 + Int(random.draw(upTo: 16))
        while bytes.count < length { bytes.append(UInt8(ascii: "a") + UInt8(random.draw(upTo: 25))) }
        return String(decoding: bytes.reversed(), as: UTF8.self)
    }

    private static func limiter(of keys: [String]) -> KeyedRateLimiter<String> {
        let limiter = KeyedRateLimiter<String>(
            .perSecond(1_000_000_000, burst: 1_000_000_000), maximumKeys: 2 * keys.count)
        for key in keys { _ = limiter.tryAcquire(key) }
        return limiter
    }

    /// Updates the dictionary in place, which no lock keeps from other threads: it is taken once for all.
    func update(_ count: Int) -> Int {
        dictionary.withLock { dictionary in
            var done = 0
            var index = 0
            for _ in 0..<count {
                if Self.update(&dictionary, copies[index]) { done += 1 }
                index = index + 1 == copies.count ? 0 : index + 1
            }
            return done
        }
    }

    @inline(never)
    private static func update(_ dictionary: inout [String: Int64], _ key: String) -> Bool {
        let now = BareClock.read()
        dictionary[key, default: 0] &+= now
        return true
    }

    func limit(_ count: Int, from start: Int) -> Int {
        var done = 0
        var index = start
        for _ in 0..<count {
            if limiter.tryAcquire(copies[index]).allowed { done += 1 }
            index = index + 1 == copies.count ? 0 : index + 1
        }
        return done
    }

    /// How much larger the process becomes by a limiter of the keys, whose text it has already.
    func bytesOfKey() -> Double {
        let before = Self.residentPages()
        let limiter = Self.limiter(of: keys)
        let after = Self.residentPages()
        return limiter.keyCount == keys.count ? (after - before) * 4_096 / Double(keys.count) : .nan
    }

    /// How many pages of the process are in memory; zero where the system does not tell.
    private static func residentPages() -> Double {
        let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ").dropFirst()
            .first
        return pages.flatMap { Double($0) } ?? 0
    }
}
