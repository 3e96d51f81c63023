// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A number that a store gives to a record with every insert, replace and claim, and never gives twice.
///
/// Whoever wants to change a record names the fence under which it saw it; a change under an older fence is refused and
/// told what stands there. So a worker that was paused past its lease cannot overwrite what its successor did
/// (Kleppmann, "How to do distributed locking", 2016).
///
/// Fences grow over the whole life of a store, also over deletes. The high 16 bits count incarnations: salvage begins a
/// new one, so that fences which were handed out after a backup was taken stay in the past.
public struct Fence: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The incarnation in the high 16 bits, the number within it in the low 48.
    public let rawValue: UInt64

    /// The fence of that raw value.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Which life of the store gave this fence out.
    public var incarnation: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 48) }

    /// The incarnation and the number, as `1.42`.
    public var description: String { "\(incarnation).\(rawValue & 0xFFFF_FFFF_FFFF)" }

    /// Whether `lhs` was given out before `rhs`.
    public static func < (lhs: Fence, rhs: Fence) -> Bool { lhs.rawValue < rhs.rawValue }

    package var next: Fence { Fence(rawValue: rawValue + 1) }
    package static let first = Fence(rawValue: 1 << 48 | 1)
}
