// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What calls learn and leave without the breaker's lock.
///
/// A closed breaker lets calls start by one reading of a word. A good result takes no lock either as long as it cannot
/// change the state: it is *tallied*, which is to subtract one from the room that is left, and is handed to the core
/// with the others by whoever takes the lock next. In a count window there is room for as many as it holds, since good
/// results beyond that change nothing: while all goes well, nobody writes anything.
///
/// Everything here is written under the lock, except the room. To tally is to compare and swap a word that also carries
/// the generation, and the core works only while the word is zero. So a tallied result is in the generation it belongs
/// to, and either all of it is there when the core looks or it comes after. No other memory is published by these words;
/// their order among each other does not matter.
struct CircuitGate: ~Copyable, Sendable {
    private let eraWord: Atomic<UInt64>
    /// When the present open time began and when it ends; the second is the smallest number if there is none.
    private let openedAt = Atomic<Int64>(.max)
    private let refusedUntil = Atomic<Int64>(.min)
    /// Good results are tallied before this time.
    private let tallyUntil = Atomic<Int64>(.min)
    private let slowThreshold = Atomic<Int64>(.max)
    /// The generation, whether good results that find no room change nothing, and the room; zero if none are tallied.
    private let tally = Atomic<UInt64>(0)
    private let refusals = Atomic<Int>(0)
    /// How many of the refusals happened before the present generation.
    private let earlierRefusals = Atomic<Int>(0)

    private static let saturates: UInt64 = 1 << 24
    private static let room: UInt64 = saturates - 1
    private static let generationShift: UInt64 = 25

    init(_ era: CircuitEra) { eraWord = Atomic(era.word) }

    var era: CircuitEra { CircuitEra(word: eraWord.load(ordering: .relaxed)) }

    /// How long a call that comes now is refused for, without asking the core; `nil` if the core must be asked.
    func refusal(at now: Int64) -> Int64? {
        let until = refusedUntil.load(ordering: .relaxed)
        // Before the opening the clock has gone back; the core knows what time it really is. Nor is it for the gate to
        // tell a time that never comes.
        return now < until && until != .max && now >= openedAt.load(ordering: .relaxed) ? until - now : nil
    }

    /// Whether calls are refused for good.
    var refusesForGood: Bool { refusedUntil.load(ordering: .relaxed) == .max }

    func countRefusal() { refusals.wrappingAdd(1, ordering: .relaxed) }

    /// How many calls the present generation has refused.
    var rejected: Int {
        refusals.load(ordering: .relaxed) - earlierRefusals.load(ordering: .relaxed)
    }

    /// Whether a success that ends now was slow.
    func isSlow(_ now: Int64, since start: Int64) -> Bool {
        now.subtractingSaturating(start) > slowThreshold.load(ordering: .relaxed)
    }

    /// Counts a good result, at this time if its era is clocked. Returns `false` if the core must be asked.
    func tallyGood(_ era: CircuitEra, at now: Int64?) -> Bool {
        if let now, now >= tallyUntil.load(ordering: .relaxed) { return false }
        var word = tally.load(ordering: .relaxed)
        while word >> Self.generationShift == era.generation {
            let saturates = word & Self.saturates != 0
            // A result without a time is from before the breaker got a time window.
            if now == nil && !saturates { return false }
            if word & Self.room == 0 { return saturates }
            let (exchanged, current) = tally.weakCompareExchange(
                expected: word, desired: word - 1, ordering: .relaxed)
            if exchanged { return true }
            word = current
        }
        return false
    }

    /// Stops the tallying and hands what was tallied to the core. Requires the lock.
    func close(_ core: inout CircuitBreakerState) {
        guard tally.load(ordering: .relaxed) != 0 else { return }
        let word = tally.exchange(0, ordering: .relaxed)
        core.recordGood(Int(Self.openingWord(core) & Self.room) - Int(word & Self.room))
    }

    /// Publishes what the core has decided. Requires the lock.
    func open(_ core: CircuitBreakerState) {
        let era = core.era
        if era.generation != self.era.generation {
            earlierRefusals.store(refusals.load(ordering: .relaxed), ordering: .relaxed)
            openedAt.store(core.latest, ordering: .relaxed)
            refusedUntil.store(core.refusedUntil, ordering: .relaxed)
        }
        slowThreshold.store(core.rules.slowThreshold, ordering: .relaxed)
        tallyUntil.store(core.results.end ?? .max, ordering: .relaxed)
        eraWord.store(era.word, ordering: .relaxed)
        tally.store(Self.openingWord(core), ordering: .relaxed)
    }

    /// The word that tallying starts with.
    private static func openingWord(_ core: CircuitBreakerState) -> UInt64 {
        let generation = core.generation << generationShift
        return switch core.tallying {
        case .none: 0
        case .first(let number): generation | saturates | UInt64(number)
        case .any: generation | room
        }
    }
}
