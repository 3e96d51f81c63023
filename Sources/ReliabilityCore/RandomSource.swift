// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Where a primitive draws its randomness from: jitter, nonces, sampling.
///
/// A draw costs a few nanoseconds, not the system call of `SystemRandomNumberGenerator`: it is the SplitMix64 generator
/// (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) over one shared word. That is
/// good randomness for spreading load, and no good for secrets.
///
/// Copies share their state, and one source may be drawn from by many tasks at once. ``seeded(_:)`` gives a source
/// whose draws can be repeated, for tests and simulations.
public struct RandomSource: RandomNumberGenerator, Sendable {
    private final class Word: Sendable {
        let value: Atomic<UInt64>
        init(_ seed: UInt64) { value = Atomic(seed) }
    }

    private let word: Word

    private init(seed: UInt64) { word = Word(seed) }

    /// A new source with a seed from the system's generator.
    public static var system: RandomSource {
        var generator = SystemRandomNumberGenerator()
        return RandomSource(seed: generator.next())
    }

    /// A new source whose draws are the same for the same seed, as long as one task draws at a time.
    public static func seeded(_ seed: UInt64) -> RandomSource { RandomSource(seed: seed) }

    /// The next 64 random bits.
    public func next() -> UInt64 {
        var z = word.value.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number drawn evenly from `0 ... upperBound`.
    ///
    /// The draw is a multiplication of 64 by 64 bits; its unevenness, at most `upperBound / 2^64`, is below what any
    /// jitter could show.
    package func draw(upTo upperBound: Int64) -> Int64 {
        guard upperBound > 0 else { return 0 }
        return Int64((UInt64(upperBound) + 1).multipliedFullWidth(by: next()).high)
    }
}
