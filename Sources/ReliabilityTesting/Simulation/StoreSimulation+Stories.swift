// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore

/// Whole stories: many lives of one store, each ended at a random moment.
extension StoreSimulation {
    /// How a random story went.
    package struct Summary: Sendable {
        package var crashes = 0
        package var openings = 0
        package var snapshots = 0
    }

    /// Lives that many lives; returns how it went.
    package mutating func live(lives: Int, steps: ClosedRange<Int> = 5...60) throws(Violation) -> Summary {
        var summary = Summary()
        for _ in 0..<lives {
            try openThroughCrashes(&summary)
            armForLife()
            for _ in 0..<steps.lowerBound + draw(steps.count) { try act() }
            if disk.files.contains(where: { $0.contains("snapshot") }) { summary.snapshots += 1 }
            if draw(10) == 0 { try close() }
            crash()
            summary.crashes += 1
            passTime()
        }
        try openThroughCrashes(&summary)
        try close()
        return summary
    }

    /// Opens the store, with crashes and failures in the recovery itself.
    private mutating func openThroughCrashes(_ summary: inout Summary) throws(Violation) {
        while true {
            if draw(4) == 0 { disk.stop(after: draw(12), writing: draw(600)) }
            summary.openings += 1
            if try open() {
                guard draw(8) == 0 else { return }
                // Before anything was done: what was found must be found again.
                crash()
                continue
            }
            crash()
            summary.crashes += 1
        }
    }

    private mutating func armForLife() {
        switch draw(12) {
        case 0..<4: disk.stop(after: draw(60), writing: draw(600))
        case 4: disk.inject(.failedSync(at: 1 + draw(12)))
        case 5: disk.inject(.error(pick([DiskFault.inputOutput, DiskFault.noSpace]), at: 1 + draw(40)))
        case 6: disk.inject(.error(pick([DiskFault.inputOutput, DiskFault.noSpace]), at: 1 + draw(40), lasts: true))
        case 7: disk.inject(.shortWrite(draw(700), at: 1 + draw(30)))
        case 8: disk.inject(.lateError(DiskFault.inputOutput, at: 1 + draw(40)))
        case 9: disk.capacity = disk.usedBytes + draw(30_000)
        default: break
        }
    }

    private mutating func crash() {
        if draw(3) == 0 {
            kill(evicting: draw(2) == 0)
        } else {
            cutPower(disk.randomCut(random, names: draw(2) == 0 ? .free : .kept))
        }
        disk.capacity = nil
    }

    /// Lets the wall clock go on, or sets it back.
    private mutating func passTime() {
        let step = pick([Duration.zero, .milliseconds(3), .seconds(2), .seconds(-1), .seconds(-3_600)])
        wallTime = wallTime.advanced(by: step)
    }
}
