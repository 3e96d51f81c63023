// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores

/// Every crash and every failure of a script, and every outcome of each.
///
/// A crash may come between any two operations of the disk and in the middle of each write; what it leaves may be lost
/// with power in every way that ``SimulatedDisk/outcomes(names:limit:)`` gives, or read by the next process as it is. The
/// recovery from it is crashed in the same way, and what the opening after that finds has to be what the recovery would
/// have found. A failure may hit any operation in every way that it can fail.
package struct StoreEnumeration {
    package typealias Violation = StoreSimulation.Violation

    /// How much of it is tried.
    package struct Bounds: Sendable {
        /// Outcomes of one loss of power, where there are too many for all of them.
        package var outcomes: Int
        /// The same after a crash of the recovery.
        package var nestedOutcomes: Int
        /// Of so many crashes or faults, one is tried.
        package var stride: Int
        /// Of so many recoveries, one is crashed itself.
        package var nestedStride: Int

        /// Every crash and every fault, with one recovery in eight crashed at every operation of its own.
        package static let full = Bounds(outcomes: 60, nestedOutcomes: 15, stride: 1, nestedStride: 8)
        /// What a test has time for.
        package static let sample = Bounds(outcomes: 15, nestedOutcomes: 15, stride: 50, nestedStride: 12)
    }

    /// What was tried.
    package struct Counts: Sendable {
        /// Losses of power and ends of processes after the script, or a part of it.
        package var crashes = 0
        /// Losses of power and ends of processes in recoveries.
        package var nestedCrashes = 0
        package var faults = 0
        /// Openings after which everything was compared; crashes that leave the same are recovered from once.
        package var openings = 0

        package init() {}

        package static func += (left: inout Counts, right: Counts) {
            left.crashes += right.crashes
            left.nestedCrashes += right.nestedCrashes
            left.faults += right.faults
            left.openings += right.openings
        }
    }

    let script: StoreScript
    let bounds: Bounds
    let base: StoreSimulation
    /// What the script does to a disk without faults.
    let operations: [DiskOperation]
    package internal(set) var counts = Counts()
    private var seen: Set<Int> = []
    private var recoveries = 0
    /// Shifts what is tried of everything, so that scripts do not all leave out the same.
    private let phase: Int

    package init(
        _ script: StoreScript, durability: FileDurability = .everyCommit, committer: FileCommitter = .ownThread,
        bounds: Bounds = .full, phase: Int = 0
    ) throws(Violation) {
        self.script = script
        self.bounds = bounds
        self.phase = phase
        var base = StoreSimulation(seed: 1, durability: durability, committer: committer)
        try base.carryOut(script.setUp)
        precondition(base.store == nil, "\(script.name): what comes before has to end the store")
        self.base = base
        var clean = base.anotherCourse()
        try clean.carryOut(script.steps)
        operations = clean.disk.operations
        precondition(operations.count == clean.disk.operationCount, "\(script.name) is too long")
        try clean.kill()
    }

    /// Whether one is tried of many.
    func isTried(_ index: Int) -> Bool { (index + phase) % bounds.stride == 0 }

    // MARK: Crashes

    /// Crashes the script everywhere.
    package mutating func crashEverywhere() throws(Violation) {
        var index = 0
        for point in 0...operations.count {
            for bytes in Self.lengths(of: point < operations.count ? operations[point] : nil) {
                index += 1
                guard isTried(index) else { continue }
                var stopped = base.anotherCourse()
                stopped.disk.stop(after: point, writing: bytes)
                try naming("stopped after \(point) operations and \(bytes) bytes") { () throws(Violation) in
                    try stopped.carryOut(script.steps)
                    try stopped.stop()
                }
                try endEveryWay(
                    stopped, "stopped after \(point) operations and \(bytes) bytes", outcomes: bounds.outcomes,
                    nests: true)
            }
        }
    }

    /// How much of an operation may be done when it is interrupted.
    static func lengths(of operation: DiskOperation?) -> [Int] {
        guard let operation, operation.kind == .write else { return [0] }
        let lengths: Set = [0, 1, min(20, operation.count - 1), operation.count / 2, operation.count - 1]
        return lengths.sorted()
    }

    /// Lets a life that has been stopped end in every way, and recovers from each.
    mutating func endEveryWay(
        _ stopped: StoreSimulation, _ story: String, outcomes: Int, nests: Bool
    ) throws(Violation) {
        for end in End.all(of: stopped.disk, limit: outcomes) {
            counts.crashes += 1
            var course = stopped
            try end.end(&course)
            guard end.isKill || seen.insert(course.fingerprint).inserted else { continue }
            recoveries += 1
            let isNested = nests && (recoveries + phase) % bounds.nestedStride == 0
            let found = try naming("\(story), \(end)") { () throws(Violation) in try goOn(from: course) }
            if isNested {
                try crashRecovery(from: course, finding: end.isKill ? nil : found, "\(story), \(end)")
            }
        }
    }

    /// Forgets what was tried: what follows has another story.
    mutating func beginStory() { seen.removeAll(keepingCapacity: true) }

    /// Opens the store and goes on with it, through a loss of power; returns what the opening had found.
    private mutating func goOn(from start: StoreSimulation) throws(Violation) -> [RecordID: Record] {
        var course = start.anotherCourse()
        try course.open()
        let found = course.recordsInMemory
        try course.carryOut([.insert(["r"]), .settle])
        try course.cutPower(.nothing)
        try course.open()
        counts.openings += 2
        guard recoveries % 4 == 0 else {
            try course.kill()
            return found
        }
        // Who changes nothing changes no byte.
        try course.close()
        try course.openAndClose()
        let bytes = course.filesAndContents
        try course.openAndClose()
        counts.openings += 2
        guard course.filesAndContents == bytes else { throw course.violation("an opening changed files for nothing") }
        return found
    }

    /// Crashes a recovery everywhere.
    private mutating func crashRecovery(
        from start: StoreSimulation, finding found: [RecordID: Record]?, _ story: String
    ) throws(Violation) {
        var whole = start.anotherCourse()
        try whole.open()
        let operations = whole.disk.operations
        try whole.kill()
        for (point, operation) in operations.enumerated() {
            for bytes in Self.lengths(of: operation) where bytes <= 1 || bytes > operation.count / 2 {
                let name = "\(story), recovery stopped after \(point) operations and \(bytes) bytes"
                var stopped = start.anotherCourse()
                stopped.disk.stop(after: point, writing: bytes)
                try naming(name) { () throws(Violation) in
                    try stopped.open()
                    try stopped.stop()
                }
                for end in End.all(of: stopped.disk, limit: bounds.nestedOutcomes) {
                    counts.nestedCrashes += 1
                    var course = stopped
                    try end.end(&course)
                    guard end.isKill || seen.insert(course.fingerprint).inserted else { continue }
                    try naming("\(name), \(end)") { () throws(Violation) in
                        try course.open()
                        if let found, course.recordsInMemory != found {
                            throw course.violation("another recovery finds something else")
                        }
                        try course.kill()
                    }
                    counts.openings += 1
                }
            }
        }
    }

    func naming<Value>(
        _ story: String, _ body: () throws(Violation) -> Value
    ) throws(Violation) -> Value {
        do throws(Violation) {
            return try body()
        } catch {
            throw error.of("\(script.name), \(base.durability), \(base.committer): \(story)")
        }
    }
}

extension StoreEnumeration {
    /// How a life that has been stopped comes to its end.
    enum End: CustomStringConvertible {
        case kill(evicting: Bool)
        case cut(PowerCut)

        /// All ends, without repetition.
        static func all(of disk: SimulatedDisk, limit: Int) -> [End] {
            var seen: Set<PowerCut> = []
            let cuts = disk.outcomes(names: .free, limit: limit) + disk.outcomes(names: .kept, limit: limit)
            return [.kill(evicting: false), .kill(evicting: true)]
                + cuts.filter { seen.insert($0).inserted }.map { .cut($0) }
        }

        var isKill: Bool {
            if case .kill = self { true } else { false }
        }

        func end(_ simulation: inout StoreSimulation) throws(Violation) {
            switch self {
            case .kill(let evicting): try simulation.kill(evicting: evicting)
            case .cut(let cut): try simulation.cutPower(cut)
            }
        }

        var description: String {
            switch self {
            case .kill(let evicting): evicting ? "killed, and the cache emptied" : "killed"
            case .cut(let cut): "power lost: \(cut)"
            }
        }
    }
}

extension StoreSimulation {
    /// The same state, from which something else may follow; no store is open.
    func anotherCourse() -> StoreSimulation {
        var course = self
        course.disk = disk.killed()
        course.random = .seeded(1)
        return course
    }

    /// Tells apart what there is on the disk, and what may be found there.
    fileprivate var fingerprint: Int {
        var hasher = Hasher()
        disk.hash(into: &hasher)
        hasher.combine(shownThrough)
        hasher.combine(moments.count)
        hasher.combine(moments.last?.sequence)
        hasher.combine(fences.count)
        hasher.combine(lastPosition)
        hasher.combine(wallTime)
        hasher.combine(process)
        return hasher.finalize()
    }

    var recordsInMemory: [RecordID: Record] {
        Dictionary(uniqueKeysWithValues: (store?.tableInMemory.allRecords ?? []).map { ($0.id, $0) })
    }

    fileprivate mutating func openAndClose() throws(Violation) {
        try open()
        guard try close() else { throw violation("the store does not close") }
    }

    fileprivate var filesAndContents: [String: [UInt8]] {
        Dictionary(uniqueKeysWithValues: disk.files.map { ($0, disk.contents(of: $0) ?? []) })
    }
}
