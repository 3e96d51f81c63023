// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CPlainDigest

/// What binds the primitives that work in memory: no careful implementation is faster than these.
enum Floor {
    static let clock = "clock read"
    static let clockAndWord = "clock read + compare-and-swap"
    static let clockAndWordShared = "clock read + compare-and-swap, two threads"
    static let lock = "lock round trip"
    static let lockShared = "lock round trip, two threads"
    static let await = "bare await"
    static let draw = "random draw"
    static let digest = "plain SHA-256 of 1 KiB in C"
    static let dictionary = "one lock, one dictionary: claim + complete"
    static let dictionaryOfAMillion = "one lock, one dictionary: claim + complete, 1 M keys"
    static let dictionaryHit = "one lock, one dictionary: hit"
}

extension Row {
    static let floors = [
        floor(Floor.clock) { meter in
            try meter.sync { count in
                var sum: Int64 = 0
                for _ in 0..<count { sum &+= BareClock.now() }
                blackHole(sum)
                return count
            }
        },
        floor(Floor.clockAndWord) { meter in
            let word = BareWord()
            return try meter.sync { count in word.advance(count) }
        },
        floor(Floor.clockAndWordShared) { meter in
            let word = BareWord()
            return try meter.twoThreads { count in word.advance(count) }
        },
        floor(Floor.lock) { meter in
            let lock = BareLock()
            return try meter.sync { count in lock.increment(count) }
        },
        floor(Floor.lockShared) { meter in
            let lock = BareLock()
            return try meter.twoThreads { count in lock.increment(count) }
        },
        floor(Floor.await) { meter in
            try await meter.async { count in
                var done = 0
                for _ in 0..<count { done += try await bareOperation(1) }
                return done
            }
        },
        floor(Floor.draw) { meter in
            let generator = BareGenerator()
            return try meter.sync { count in
                var sum: UInt64 = 0
                for _ in 0..<count { sum &+= generator.next() }
                blackHole(sum)
                return count
            }
        },
        floor(Floor.digest) { meter in
            let body = [UInt8](repeating: 0x5A, count: 1_024)
            return try meter.sync { count in
                var sum: UInt64 = 0
                for _ in 0..<count { sum &+= unsafe plainDigest(body, body.count) }
                blackHole(sum)
                return count
            }
        },
        floor(Floor.dictionary, count: .fixed(Keys.count, smoke: 1_000)) { meter in try claimAndComplete(meter) },
        floor(
            Floor.dictionaryOfAMillion, count: .fixed(Keys.largeCount, smoke: 1_000), rounds: largeRounds
        ) { meter in
            try claimAndComplete(meter)
        },
        floor(Floor.dictionaryHit, count: .fixed(Keys.count, smoke: 1_000)) { meter in
            let (keys, copies, table) = (Keys.all, Keys.copies, BareTable())
            for number in 0..<meter.count where table.claim(keys[number]) {
                _ = table.complete(keys[number], with: Keys.response(number))
            }
            return try meter.sync { count in
                var done = 0
                for number in 0..<count { done += table.response(to: copies[number])?.count == 256 ? 1 : 0 }
                return done
            }
        },
    ]

    /// Of rows with a million keys, of which a sample takes seconds.
    static let largeRounds = 5

    private static func claimAndComplete(_ meter: Meter) throws -> Sample {
        let (keys, table) = (Keys.first(meter.count), BareTable())
        return try meter.sync { count in
            var done = 0
            for number in 0..<count where table.claim(keys[number]) {
                done += table.complete(keys[number], with: Keys.response(number)) ? 1 : 0
            }
            return done
        }
    }

    private static func floor(
        _ name: String, count: Count = .calibrated, rounds: Int? = nil,
        sample: @escaping @Sendable (Meter) async throws -> Sample
    ) -> Row {
        Row("Floors", name, floor: nil, count: count, rounds: rounds, sample: sample)
    }
}
