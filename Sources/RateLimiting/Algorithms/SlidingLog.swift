// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The algorithm of the sliding window log: every grant is remembered for as long as any window sees it.
package struct SlidingLog: LimitCore {
    /// The grants, oldest first.
    package struct State: Sendable {
        struct Entry: Sendable {
            let moment: Int64
            var permits: Int64
        }

        /// Those that are gone stay at the front until they are half of all, so that each is moved once at most.
        fileprivate var stored: [Entry] = []
        fileprivate var first = 0
        /// The permits of all entries.
        fileprivate(set) var used: Int64 = 0

        var entries: ArraySlice<Entry> { stored[first...] }

        fileprivate mutating func append(_ permits: Int64, at moment: Int64) {
            if let last = stored.last, last.moment == moment, last.permits.addingSaturating(permits) < .max {
                stored[stored.count - 1].permits += permits
            } else {
                stored.append(Entry(moment: moment, permits: permits))
            }
            used = used.addingSaturating(permits)
        }

        fileprivate mutating func forget(_ count: Int, _ permits: Int64) {
            first += count
            subtract(permits)
            guard first * 2 > stored.count else { return }
            stored.removeFirst(first)
            first = 0
        }

        /// Subtracts what is no longer in the entries; added up anew where the sum is past what can be counted.
        private mutating func subtract(_ permits: Int64) {
            used = used == .max ? entries.reduce(0) { $0.addingSaturating($1.permits) } : used - permits
        }

        fileprivate mutating func take(_ permits: Int64, from moment: Int64) -> Bool {
            guard let index = entries.lastIndex(where: { $0.moment == moment }) else { return false }
            stored[index].permits -= permits
            subtract(permits)
            if stored[index].permits == 0 { stored.remove(at: index) }
            return true
        }
    }

    package let limit: RateLimit
    private let length: Int64
    private let most: Int64

    package init(_ limit: RateLimit) {
        self.limit = limit
        length = limit.period.nanosecondsRoundedUp
        most = Int64(limit.permits)
    }

    package var capacity: Int { limit.permits }
    package var fresh: State { State() }

    /// How many entries, from the oldest on, no window that ends at a moment sees, and their permits.
    private func gone(_ state: State, at moment: Int64) -> (entries: Int, permits: Int64) {
        var gone: (entries: Int, permits: Int64) = (0, 0)
        for entry in state.entries {
            guard entry.moment.addingSaturating(length) <= moment else { break }
            gone.entries += 1
            gone.permits = gone.permits.addingSaturating(entry.permits)
        }
        return gone
    }

    package func earliest(_ permits: Int64, in state: State, at now: Int64) -> Int64 {
        if permits == 0 { return now }
        // Without a limit nothing is ever used.
        var used = state.used
        if used <= most - permits { return now }
        for entry in state.entries {
            used = used.subtractingSaturating(entry.permits)
            if used <= most - permits { return max(now, entry.moment.addingSaturating(length)) }
        }
        // A reservation that was made under a larger limit never fits.
        return .max
    }

    package func take(_ permits: Int64, in state: inout State, at moment: Int64) -> Int64 {
        if limit.isUnlimited || permits == 0 { return moment }
        let gone = gone(state, at: moment)
        if gone.entries > 0 { state.forget(gone.entries, gone.permits) }
        state.append(permits, at: moment)
        return moment
    }

    package func giveBack(_ permits: Int64, of grant: Grant, in state: inout State, at now: Int64) -> Bool {
        permits > 0 && grant.mark.addingSaturating(length) > now && state.take(permits, from: grant.mark)
    }

    package func lapse(of grant: Grant) -> Int64 { grant.mark.addingSaturating(length) }

    package func isFresh(_ state: State, at now: Int64) -> Bool {
        state.entries.last.map { $0.moment.addingSaturating(length) <= now } ?? true
    }

    package func decision(_ state: State, at now: Int64, wait: Int64) -> RateLimitDecision {
        let used = state.used - gone(state, at: now).permits
        let reset = state.entries.last.map { max(0, $0.moment.addingSaturating(length).subtractingSaturating(now)) }
        return RateLimitDecision(
            limit: limit.permits, remaining: most - used, resetNanoseconds: reset ?? 0, wait: wait)
    }

    package func changed(to limit: RateLimit, at now: Int64) -> SlidingLog { SlidingLog(limit) }

    package func carriedOver(
        _ state: State, from other: SlidingLog, at now: Int64, _ consumed: ConsumedPermits
    ) -> State {
        guard !limit.isUnlimited else { return fresh }
        let seen = state.entries.dropFirst(other.gone(state, at: now).entries)
        var result = State()
        var used: Int64 = 0
        for entry in seen {
            used = used.addingSaturating(entry.permits)
            // Rounded up in the sum, so that the shares together are the share of all.
            let share = consumed == .keep || other.most == 0 ? used : GCRA.scaled(used, by: most, over: other.most)
            guard share > result.used else { continue }
            result.append(share - result.used, at: entry.moment)
        }
        return result
    }
}
