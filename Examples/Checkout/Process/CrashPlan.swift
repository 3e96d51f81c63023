// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

/// When to kill the worker: the pure core of a run with crashes.
///
/// The kills are spread evenly over the first 95 % of the work. Each becomes due when the worker, over all its lives,
/// has reported its share of progress, and strikes a random 0 to 15 ms later. About one in five has the same share as
/// the one before it, so it is due as soon as the worker starts again: those strike in its start-up and recovery.
///
/// Every kill strikes. If the worker should finish its work with kills left, they strike in further lives, which is
/// what ``workerEnded()`` asks for; each life that ends before its kill halves the delay.
struct CrashPlan: Equatable, Sendable {
    struct Kill: Equatable, Sendable {
        /// Due when that many orders are finished.
        let threshold: Int
        /// How long after that it strikes.
        let delay: Duration
    }

    private enum Phase: Equatable {
        /// No worker runs.
        case idle
        /// A worker runs, and the next kill, if there is one, is not due yet.
        case running
        /// A worker runs, and the next kill is due: its delay has been handed out.
        case due
    }

    /// The kills, in the order in which they strike.
    let kills: [Kill]
    /// How many of them have struck.
    private(set) var struck = 0
    /// How many of those struck in a life after the work was finished.
    private(set) var struckAfterTheEnd = 0
    private var progress = 0
    /// How many lives ended since the last kill struck.
    private var missed = 0
    private var phase = Phase.idle

    /// A plan for so many kills over so many orders; the same for the same seed.
    init(crashes: Int, orders: Int, seed: UInt64) {
        precondition(crashes >= 0 && orders >= 0, "\(crashes) crashes over \(orders) orders make no plan")
        let random = RandomSource.seeded(seed)
        let span = orders - orders / 20
        var early = Set<Int>()
        while early.count < crashes / 5 { early.insert(Int(random.draw(upTo: Int64(crashes) - 1))) }
        var kills: [Kill] = []
        for index in 0..<crashes {
            let first = span * index / crashes
            let last = max(first, span * (index + 1) / crashes - 1)
            let drawn = first + Int(random.draw(upTo: Int64(last - first)))
            kills.append(
                Kill(
                    threshold: early.contains(index) ? kills.last?.threshold ?? 0 : drawn,
                    delay: .microseconds(random.draw(upTo: 15_000))))
        }
        self.kills = kills
    }

    /// A worker has started.
    ///
    /// - Returns: how long to wait before killing it, if that is due already.
    mutating func workerStarted() -> Duration? {
        precondition(phase == .idle, "a worker started while another one runs")
        phase = .running
        return delayIfDue()
    }

    /// The worker has reported how many orders are finished, over all lives.
    ///
    /// - Returns: how long to wait before killing it, if that became due by this report.
    mutating func workerReported(progress reported: Int) -> Duration? {
        progress = max(progress, reported)
        switch phase {
        case .idle: preconditionFailure("progress was reported while no worker runs")
        case .running: return delayIfDue()
        case .due: return nil
        }
    }

    /// The worker was killed by this plan, and has ended.
    mutating func workerKilled() {
        precondition(phase == .due, "a worker was killed while no kill was due")
        struck += 1
        if progress == .max { struckAfterTheEnd += 1 }
        missed = 0
        phase = .idle
    }

    /// The worker has finished everything and ended by itself.
    ///
    /// - Returns: whether it must be started again, because kills are left. They are all due from now on.
    mutating func workerEnded() -> Bool {
        precondition(phase != .idle, "a worker ended while none runs")
        phase = .idle
        progress = .max
        missed += 1
        return struck < kills.count
    }

    private mutating func delayIfDue() -> Duration? {
        guard struck < kills.count, kills[struck].threshold <= progress else { return nil }
        phase = .due
        return kills[struck].delay / (1 << min(missed, 30))
    }
}
