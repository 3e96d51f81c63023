// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import checkout

@Suite struct CrashPlanTests {
    @Test(arguments: [(0, 1_200), (1, 1_200), (3, 10), (50, 1_200), (50, 7), (200, 1_200), (5, 0)])
    func `the kills are spread over the first 95 percent and some come at a start`(crashes: Int, orders: Int) {
        for seed in UInt64(0)..<100 {
            let plan = CrashPlan(crashes: crashes, orders: orders, seed: seed)
            #expect(plan == CrashPlan(crashes: crashes, orders: orders, seed: seed))
            let thresholds = plan.kills.map(\.threshold)
            #expect(thresholds.count == crashes, "seed \(seed)")
            #expect(thresholds == thresholds.sorted(), "seed \(seed)")
            #expect(thresholds.allSatisfy { $0 >= 0 && $0 * 20 <= orders * 19 + 19 }, "seed \(seed): \(thresholds)")
            #expect(plan.kills.allSatisfy { $0.delay >= .zero && $0.delay <= .milliseconds(15) }, "seed \(seed)")
            guard crashes >= 5, orders >= crashes * 3 else { continue }
            let span = orders - orders / 20
            for (index, threshold) in thresholds.enumerated() {
                let share = span * index / crashes...span * (index + 1) / crashes
                let early = threshold == (index == 0 ? 0 : thresholds[index - 1])
                #expect(early || share.contains(threshold), "seed \(seed), kill \(index) at \(threshold)")
            }
            let atStart = zip([0] + thresholds, thresholds).filter { $0 == $1 }.count
            #expect(atStart >= crashes / 5, "seed \(seed): \(thresholds)")
        }
    }

    /// A worker that finishes this many orders in a millisecond, with 5 ms from its start to its first report.
    @Test(arguments: [(0.2, true), (1, true), (3, true), (100_000, false)])
    func `every kill strikes, before the end if the worker is not too fast`(speed: Double, beforeTheEnd: Bool) {
        for seed in UInt64(0)..<50 {
            var plan = CrashPlan(crashes: 50, orders: 1_200, seed: seed)
            var finished = 0.0
            var lives = 0
            repeat {
                lives += 1
                guard lives <= 300 else { break }
            } while Self.live(&plan, finished: &finished, speed: speed)
            #expect(plan.struck == 50, "seed \(seed)")
            #expect(lives == 51 || !beforeTheEnd, "seed \(seed)")
            #expect((plan.struckAfterTheEnd == 0) == beforeTheEnd, "seed \(seed)")
        }
    }

    @Test func `a kill is due once, at the report that reaches its share, and progress never goes back`() throws {
        var plan = CrashPlan(crashes: 1, orders: 1_000, seed: 1)
        let kill = try #require(plan.kills.first)
        try #require(kill.threshold > 1)
        #expect(plan.workerStarted() == nil)
        #expect(plan.workerReported(progress: kill.threshold - 1) == nil)
        #expect(plan.workerReported(progress: kill.threshold) == kill.delay)
        #expect(plan.workerReported(progress: kill.threshold + 1) == nil)
        // It ended before the kill struck, so it must start again, and is killed in its start-up.
        #expect(plan.workerEnded() == true)
        #expect(plan.workerStarted() == kill.delay / 2)
        #expect(plan.workerReported(progress: 0) == nil)
        plan.workerKilled()
        #expect(plan.struck == 1 && plan.struckAfterTheEnd == 1)
        #expect(plan.workerStarted() == nil)
        #expect(plan.workerEnded() == false)
    }

    /// One life of a worker; whether another must follow.
    private static func live(_ plan: inout CrashPlan, finished: inout Double, speed: Double) -> Bool {
        let startUp = 5.0
        var time = 0.0
        var killAt = plan.workerStarted().map(milliseconds)
        while true {
            if let killAt, killAt <= time {
                plan.workerKilled()
                return true
            }
            if finished >= 1_200, time >= startUp { return plan.workerEnded() }
            time += 0.25
            if time >= startUp { finished = min(1_200, finished + speed * 0.25) }
            if let delay = plan.workerReported(progress: Int(finished)) { killAt = time + milliseconds(delay) }
        }
    }

    private static func milliseconds(_ duration: Duration) -> Double { duration / .milliseconds(1) }
}
