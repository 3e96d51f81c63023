// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A generation of a breaker and how calls are treated in it, in one word that is read without the lock.
@usableFromInline
struct CircuitEra: Sendable, Hashable {
    @usableFromInline let word: UInt64

    /// Calls start without asking the core.
    static let passes: UInt64 = 1
    /// A call notes when it started.
    static let timed: UInt64 = 2
    /// A result comes with the time.
    static let clocked: UInt64 = 4
    /// Results are counted nowhere.
    static let uncounted: UInt64 = 8
    /// Calls are refused until the time that the gate knows.
    static let refuses: UInt64 = 16
    /// They are refused because somebody said so.
    static let isolated: UInt64 = 32

    private static let flagBits: UInt64 = 8

    init(_ generation: UInt64, _ flags: UInt64) { word = generation << Self.flagBits | flags }
    init(word: UInt64) { self.word = word }

    var generation: UInt64 { word >> Self.flagBits }
    func has(_ flag: UInt64) -> Bool { word & flag != 0 }
}

/// What a call gets when it starts, and shows when it ends.
@usableFromInline
struct CircuitTicket: Sendable {
    @usableFromInline let era: CircuitEra
    /// When the call started; means nothing unless the era is timed.
    @usableFromInline let startedAt: Int64
    /// The number of the probe that the call is; zero if it is none.
    @usableFromInline let probe: UInt64
}
