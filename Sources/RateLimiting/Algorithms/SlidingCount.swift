// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The algorithm of the sliding window counter: two counters of fixed windows, the older weighted by what the sliding
/// window still sees of it.
///
/// With windows of length `W`, `e` into the present one, `n` permits are there if
/// `previous × (W - e) / W + current + n` is at most the limit. It is counted exactly, in whole numbers.
package struct SlidingCount: LimitCore {
    /// The permits taken in a window and in the one before it.
    package struct State: Sendable, Equatable {
        var window: Int64
        var current: Int64
        var previous: Int64
    }

    package let limit: RateLimit
    private let grid: WindowGrid
    private let most: Int64

    package init(_ limit: RateLimit) {
        self.init(limit, WindowGrid(origin: 0, length: limit.period.nanosecondsRoundedUp))
    }

    private init(_ limit: RateLimit, _ grid: WindowGrid) {
        self.limit = limit
        self.grid = grid
        most = Int64(limit.permits)
    }

    package var capacity: Int { limit.permits }
    package var fresh: State { State(window: .min, current: 0, previous: 0) }

    /// The state as it is at a moment.
    @inline(__always)
    private func current(_ state: State, at now: Int64) -> State {
        let window = grid.index(at: now)
        guard window > state.window else { return state }
        return State(window: window, current: 0, previous: window - 1 == state.window ? state.current : 0)
    }

    package func earliest(_ permits: Int64, in state: State, at now: Int64) -> Int64 {
        if permits == 0 { return now }
        // Without a limit nothing is ever used.
        let state = current(state, at: now)
        let room = most.subtractingSaturating(state.current).subtractingSaturating(permits)
        if room >= 0 {
            let offset = offset(atWhich: state.previous, leaves: room)
            return max(now, grid.start(of: state.window).addingSaturating(offset))
        }
        // A reservation that was made under a larger limit never fits.
        guard permits <= most else { return .max }
        // From the next window on, the present one is the one before.
        return grid.start(of: state.window + 1).addingSaturating(
            offset(atWhich: state.current, leaves: most - permits))
    }

    /// How far into a window the one before it weighs no more than `room`; the length of it if only the one after is.
    private func offset(atWhich previous: Int64, leaves room: Int64) -> Int64 {
        if previous <= room { return 0 }
        // previous × (W - e) <= room × W, so e is at least W - ⌊room × W / previous⌋.
        return grid.length - Int64(clamping: Int128(room) * Int128(grid.length) / Int128(previous))
    }

    package func take(_ permits: Int64, in state: inout State, at moment: Int64) -> Int64 {
        if limit.isUnlimited { return moment }
        state = current(state, at: moment)
        state.current = state.current.addingSaturating(permits)
        return moment
    }

    package func giveBack(_ permits: Int64, of grant: Grant, in state: inout State, at now: Int64) -> Bool {
        state = current(state, at: now)
        let window = grid.index(at: grant.mark)
        if window == state.window {
            // Below what came in only where that was past what can be counted.
            state.current = max(0, state.current - permits)
        } else if window + 1 == state.window {
            state.previous = max(0, state.previous - permits)
        } else {
            return false
        }
        return true
    }

    package func lapse(of grant: Grant) -> Int64 { grid.start(of: grid.index(at: grant.mark) + 2) }

    package func isFresh(_ state: State, at now: Int64) -> Bool {
        let state = current(state, at: now)
        return state.current == 0 && state.previous == 0
    }

    /// What the present window and the part of the one before that is still seen make together, rounded up.
    private func used(_ state: State, at now: Int64) -> Int64 {
        // A window that lies ahead has not begun.
        let elapsed = max(0, now.subtractingSaturating(grid.start(of: state.window)))
        return state.current.addingSaturating(
            GCRA.scaled(state.previous, by: grid.length - elapsed, over: grid.length))
    }

    package func decision(_ state: State, at now: Int64, wait: Int64) -> RateLimitDecision {
        let state = current(state, at: now)
        let last = state.current > 0 ? state.window + 2 : state.previous > 0 ? state.window + 1 : nil
        return RateLimitDecision(
            limit: limit.permits, remaining: most - used(state, at: now),
            resetNanoseconds: last.map { grid.start(of: $0).subtractingSaturating(now) } ?? 0, wait: wait)
    }

    package func changed(to limit: RateLimit, at now: Int64) -> SlidingCount {
        SlidingCount(limit, grid.changed(to: limit.period, at: now))
    }

    package func carriedOver(
        _ state: State, from other: SlidingCount, at now: Int64, _ consumed: ConsumedPermits
    ) -> State {
        guard !limit.isUnlimited else { return fresh }
        let state = other.current(state, at: now)
        func share(_ used: Int64) -> Int64 {
            consumed == .keep || other.most == 0 ? used : GCRA.scaled(used, by: most, over: other.most)
        }
        if grid == other.grid {
            return State(window: state.window, current: share(state.current), previous: share(state.previous))
        }
        // The windows are others, so what is used counts in full as if it had been taken now.
        return State(window: grid.index(at: now), current: share(other.used(state, at: now)), previous: 0)
    }
}
