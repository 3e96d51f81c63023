// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Synchronization

/// A random story of idempotent operations: many callers in processes that stop, go on and end, on one store that loses
/// requests and replies, crashes and is opened again, with a provider outside that remembers what took effect.
///
/// ```swift
/// let summary = try IdempotencyStory.tell(seed: 7)
/// ```
///
/// Time is virtual, the disk is simulated, and what runs next is drawn, so a seed gives the same story each time.
package struct IdempotencyStory {
    /// A promise that was broken, and how to see it again.
    package struct Violation: Error, CustomStringConvertible {
        package let description: String
    }

    /// What may be left out of a story, to see whether a violation needs it.
    package enum Feature: CaseIterable, Sendable {
        case losses, storeCrashes, processCrashes, cancellations, stops, clockSteps, operators, lateEffects, fullDisks
        case messages, outstaying
    }

    /// How stories went.
    package struct Summary: Hashable, Sendable {
        package var stories = 0
        package var calls = 0
        package var runs = 0
        package var effects = 0
        package var crashes = 0
        package var processCrashes = 0
        package var unprotectedRuns = 0
        package var deliveries = 0
        /// The handlers that went on although they were cancelled.
        package var outstayed = 0
        /// How often an operation told what, by the name that it has in metrics.
        package var events: [String: Int] = [:]

        package init() {}

        /// What an operation can tell and never did; that a record is unreadable comes with another version alone.
        package var untold: [String] {
            IdempotencyEvent.Outcome.allCases.filter { $0 != .unreadable && events[$0.rawValue] == nil }.map(\.rawValue)
        }

        package static func += (left: inout Summary, right: Summary) {
            left.stories += right.stories
            left.calls += right.calls
            left.runs += right.runs
            left.effects += right.effects
            left.crashes += right.crashes
            left.processCrashes += right.processCrashes
            left.unprotectedRuns += right.unprotectedRuns
            left.deliveries += right.deliveries
            left.outstayed += right.outstayed
            left.events.merge(right.events, uniquingKeysWith: +)
        }
    }

    static let start = Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000)

    let settings: StorySettings
    let left: Set<Feature>
    let random: RandomSource
    let world: World
    let judge: Judge
    /// The store's clock.
    let clock = ManualClock()
    /// Runs what is no process's: openings, closings, looks at the end.
    let keeper = ManualExecutor()
    var disk = SimulatedDisk()
    var file: FileRecordStore?
    let storeFailure = Signal()
    var wallSkew = Duration.zero
    var processes: [SimulatedProcess] = []
    /// Those whose end is over, but not that of their tasks.
    var ghosts: [SimulatedProcess] = []
    var stopped: Set<Int> = []
    var open: [(call: Judge.Call, process: Int, pending: ManualExecutor.Pending<Void>)] = []
    var callCount = 0
    var processCount = 0
    var summary = Summary()

    init(seed: UInt64, bug: PlantedBug?, leavingOut left: Set<Feature>, notesAreKept: Bool) {
        random = .seeded(seed)
        var settings = StorySettings(random)
        if let bug {
            settings.durability = bug.durability
            if bug.durability != .everyCommit { settings.hasFiles = true }
        }
        if left.contains(.losses) { settings.lossChance = 0 }
        settings.outstays = !left.contains(.outstaying)
        self.settings = settings
        self.left = left
        world = World(settings, random, bug, notesAreKept: notesAreKept)
        judge = world.judge
        judge.note("\(settings)")
    }

    /// Tells the story of that number.
    ///
    /// - Throws: ``Violation``, with the story up to there, and without what it does not need.
    package static func tell(seed: UInt64, bug: PlantedBug? = nil) throws(Violation) -> Summary {
        var story = IdempotencyStory(seed: seed, bug: bug, leavingOut: [], notesAreKept: false)
        if let found = story.tell() { throw Self.shrink(seed, bug, found) }
        return story.finished()
    }

    /// Whether the story of that number shows the bug.
    package static func shows(_ bug: PlantedBug, seed: UInt64) -> String? {
        var story = IdempotencyStory(seed: seed, bug: bug, leavingOut: [], notesAreKept: false)
        return story.tell()
    }

    /// Leaves out of a story what its violation does not need.
    private static func shrink(_ seed: UInt64, _ bug: PlantedBug?, _ found: String) -> Violation {
        var left: Set<Feature> = []
        for feature in Feature.allCases {
            var story = IdempotencyStory(
                seed: seed, bug: bug, leavingOut: left.union([feature]), notesAreKept: false)
            if story.tell() != nil { left.insert(feature) }
        }
        var story = IdempotencyStory(seed: seed, bug: bug, leavingOut: left, notesAreKept: true)
        let last = story.tell() ?? found
        let notes = story.judge.notes.map { "    \($0)" }.joined(separator: "\n")
        let names = Feature.allCases.filter(left.contains).map { "\($0)" }.joined(separator: ", ")
        return Violation(
            description:
                "story \(seed): \(found)\nwithout \(names.isEmpty ? "leaving anything out" : names): \(last)\n\(notes)")
    }

    /// Tells the story; returns what was broken.
    private mutating func tell() -> String? {
        openStore()
        for _ in 0..<settings.processes { startProcess() }
        for _ in 0..<settings.actions {
            act()
            if let violation = judge.violation { return violation }
        }
        comeToRest()
        if let violation = judge.violation { return violation }
        audit()
        return judge.violation
    }

    private func finished() -> Summary {
        var summary = summary
        summary.stories = 1
        summary.calls = callCount
        summary.effects = world.provider.effects.count
        let (runs, events) = judge.state.withLock { ($0.runs, $0.events) }
        summary.runs = runs.count
        summary.outstayed = judge.state.withLock { $0.outstayed.count }
        summary.unprotectedRuns = runs.count { $0.fence == nil }
        summary.events = Dictionary(uniqueKeysWithValues: events.map { ($0.key.rawValue, $0.value) })
        return summary
    }

    func draw(_ count: Int) -> Int { Int(random.draw(upTo: Int64(count - 1))) }
    func pick<Value>(_ values: [Value]) -> Value { values[draw(values.count)] }

    /// Whether this happens in this story at all.
    func has(_ feature: Feature) -> Bool { !left.contains(feature) }
}

/// Whether a store has said that it is at its end.
final class Signal: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set(_ isSet: Bool) { value.store(isSet, ordering: .releasing) }
}
