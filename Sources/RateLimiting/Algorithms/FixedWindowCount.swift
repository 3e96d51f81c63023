// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The algorithm of fixed windows: a counter that starts anew at every edge of a grid.
package struct FixedWindowCount: LimitCore {
    /// The permits taken in one window.
    package struct State: Sendable, Equatable {
        var window: Int64
        var used: Int64
    }

    package let limit: RateLimit
    private let grid: WindowGrid
    private let most: Int64

    package init(_ limit: RateLimit) {
        self.init(limit, WindowGrid(origin: 0, length: limit.period.nanosecondsRoundedUp))
    }

    /// Windows of which the first is shorter.
    package init(_ limit: RateLimit, firstWindow: Duration) {
        let length = limit.period.nanosecondsRoundedUp
        self.init(limit, WindowGrid(origin: firstWindow.nanosecondsRoundedUp - length, length: length))
    }

    private init(_ limit: RateLimit, _ grid: WindowGrid) {
        self.limit = limit
        self.grid = grid
        most = Int64(limit.permits)
    }

    package var capacity: Int { limit.permits }
    package var fresh: State { State(window: .min, used: 0) }

    /// The state at the first moment, at which the share of the window that has gone by is used.
    package var begun: State {
        let window = grid.index(at: 0)
        let gone = grid.length - grid.start(of: window + 1)
        return limit.isUnlimited || gone == 0
            ? fresh : State(window: window, used: GCRA.scaled(most, by: gone, over: grid.length))
    }

    /// The state as it is at a moment.
    @inline(__always)
    private func current(_ state: State, at now: Int64) -> State {
        let window = grid.index(at: now)
        return window > state.window ? State(window: window, used: 0) : state
    }

    package func earliest(_ permits: Int64, in state: State, at now: Int64) -> Int64 {
        // Without a limit nothing is ever used.
        let state = current(state, at: now)
        return permits == 0 || state.used <= most - permits ? now : grid.start(of: state.window + 1)
    }

    package func take(_ permits: Int64, in state: inout State, at moment: Int64) -> Int64 {
        if limit.isUnlimited { return moment }
        state = current(state, at: moment)
        // Only what stood before the limit was made smaller can be above it.
        state.used = state.used.addingSaturating(permits)
        return moment
    }

    package func giveBack(_ permits: Int64, of grant: Grant, in state: inout State, at now: Int64) -> Bool {
        state = current(state, at: now)
        guard grid.index(at: grant.mark) == state.window else { return false }
        // Below what came in only where that was past what can be counted.
        state.used = max(0, state.used - permits)
        return true
    }

    package func lapse(of grant: Grant) -> Int64 { grid.start(of: grid.index(at: grant.mark) + 1) }

    package func isFresh(_ state: State, at now: Int64) -> Bool { current(state, at: now).used == 0 }

    package func decision(_ state: State, at now: Int64, wait: Int64) -> RateLimitDecision {
        let state = current(state, at: now)
        let reset = state.used == 0 ? 0 : grid.start(of: state.window + 1).subtractingSaturating(now)
        return RateLimitDecision(
            limit: limit.permits, remaining: most - state.used, resetNanoseconds: reset, wait: wait)
    }

    package func changed(to limit: RateLimit, at now: Int64) -> FixedWindowCount {
        FixedWindowCount(limit, grid.changed(to: limit.period, at: now))
    }

    package func carriedOver(
        _ state: State, from other: FixedWindowCount, at now: Int64, _ consumed: ConsumedPermits
    ) -> State {
        guard !limit.isUnlimited else { return fresh }
        let state = other.current(state, at: now)
        let used =
            consumed == .keep || other.most == 0
            ? state.used : GCRA.scaled(state.used, by: most, over: other.most)
        return State(window: grid == other.grid ? state.window : grid.index(at: now), used: used)
    }
}
