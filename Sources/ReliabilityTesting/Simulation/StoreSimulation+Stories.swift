// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
internal import ReliabilityCore

/// Whole stories: many lives of one store, each ended at a random moment.
extension StoreSimulation {
    /// How a random story went.
    package struct Summary: Sendable {
        package var crashes = 0
        package var openings = 0
        package var snapshots = 0

        package init() {}

        package static func += (left: inout Summary, right: Summary) {
            left.crashes += right.crashes
            left.openings += right.openings
            left.snapshots += right.snapshots
        }
    }

    /// Which lives a random story has.
    package struct Lives: Sendable {
        package var count: Int
        /// How many calls and steps a life has.
        package var steps: ClosedRange<Int>
        /// How many calls may come at once, before the store does anything.
        package var atOnce: Int

        package init(_ count: Int, steps: ClosedRange<Int> = 5...60, atOnce: Int = 1) {
            self.count = count
            self.steps = steps
            self.atOnce = atOnce
        }
    }

    /// The story of that number, whose kind is drawn too: short lives, long ones, many calls at once, larger files, and
    /// who writes.
    package static func story(seed: UInt64, durability: FileDurability) throws(Violation) -> Summary {
        let random = RandomSource.seeded(~seed)
        var layout = FileStoreLayout.small
        let isLarge = random.draw(upTo: 3) == 0
        if isLarge {
            layout.journal = 2_000 + Int(random.draw(upTo: 40_000))
            layout.reserve = 16_384 + Int(random.draw(upTo: 30_000))
            layout.smallestCompaction = 5_000 + Int(random.draw(upTo: 60_000))
            layout.snapshotPiece = 100 + Int(random.draw(upTo: 4_000))
            layout.snapshotSync = 500 + Int(random.draw(upTo: 8_000))
            layout.unsynced = 4 + UInt64(random.draw(upTo: 60))
        }
        let lives: Lives =
            switch random.draw(upTo: 9) {
            case 0: Lives(3, steps: 200...900)
            case 1, 2: Lives(8, steps: 20...120, atOnce: 20)
            case 3: Lives(20, steps: 0...12)
            default: Lives(10)
            }
        let committer: FileCommitter = random.draw(upTo: 1) == 0 ? .ownThread : .caller
        var simulation = StoreSimulation(seed: seed, durability: durability, committer: committer, layout: layout)
        return try simulation.live(lives)
    }

    /// Lives those lives; returns how it went.
    package mutating func live(_ lives: Lives) throws(Violation) -> Summary {
        var summary = Summary()
        for _ in 0..<lives.count {
            try openThroughCrashes(&summary)
            armForLife()
            for _ in 0..<lives.steps.lowerBound + draw(lives.steps.count) { try act(atOnce: lives.atOnce) }
            if disk.files.contains(where: { $0.contains("snapshot") }) { summary.snapshots += 1 }
            if draw(12) == 0 {
                try removeDirectory()
                for _ in 0..<draw(20) { try act() }
            }
            if draw(10) == 0 {
                let isClosed = draw(2) == 0 ? try close(before: pick(Self.interruptions)) : try close()
                // Two processes that take turns: each must not come back to what it held.
                if isClosed, draw(2) == 0 { try takeTurns(&summary) }
            }
            try crash()
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
                try crash()
                summary.crashes += 1
                continue
            }
            try crash()
            summary.crashes += 1
        }
    }

    /// Has another process open and close the store, and then the first one again.
    private mutating func takeTurns(_ summary: inout Summary) throws(Violation) {
        let first = process
        process = ProcessIdentity(host: "simulated", pid: 2, instance: first.instance)
        for _ in 0..<2 {
            passTime()
            summary.openings += 1
            guard try open() else { return }
            for _ in 0..<draw(8) { try act() }
            guard try close() else { return }
            process = first
        }
    }

    private mutating func armForLife() {
        switch draw(12) {
        case 0..<4: disk.stop(after: draw(60), writing: draw(600))
        case 4: disk.inject(.failedSync(at: 1 + draw(12), keeping: pick([.nothing, .first(draw(10)), .everything])))
        case 5: disk.inject(.error(pick(Self.codes), at: 1 + draw(40)))
        case 6: disk.inject(.error(pick(Self.codes), at: 1 + draw(40), lasts: true))
        case 7: disk.inject(.shortWrite(draw(700), pick(Self.codes), at: 1 + draw(30)))
        case 8: disk.inject(.lateError(DiskFault.inputOutput, at: 1 + draw(40)))
        case 9: disk.capacity = disk.usedBytes + draw(30_000)
        default: break
        }
    }

    static let codes = [DiskFault.inputOutput, DiskFault.noSpace, DiskFault.overQuota, DiskFault.interrupted]

    private mutating func crash() throws(Violation) {
        if draw(3) == 0 {
            try kill(evicting: draw(2) == 0)
        } else {
            try stop()
            try cutPower(disk.randomCut(random, names: draw(2) == 0 ? .free : .kept))
        }
    }

    /// Lets the wall clock go on, or sets it back.
    private mutating func passTime() {
        let step = pick([Duration.zero, .milliseconds(3), .seconds(2), .seconds(-1), .seconds(-3_600)])
        wallTime = wallTime.advanced(by: step)
    }
}
