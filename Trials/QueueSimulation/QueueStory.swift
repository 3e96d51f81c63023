// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import WorkQueues

/// A random story of one queue: producers, workers, operators and consumers in processes that die at any commit, on a
/// store that loses requests and replies, on virtual time.
///
/// ```swift
/// let summary = try QueueStory.tell(seed: 7)
/// ```
///
/// What runs next is drawn, so a seed gives the same story each time.
package struct QueueStory {
    /// A promise that was broken, and how to see it again.
    package struct Violation: Error, CustomStringConvertible {
        package let description: String
    }

    /// What may be left out of a story, to see whether a violation needs it.
    package enum Feature: CaseIterable, Sendable {
        case losses, gates, deaths, consumers, redrives, evictions, foreignLetters, damage, duplicates, lateSettlements
    }

    /// How stories went.
    package struct Summary: Hashable, Sendable {
        package var stories = 0
        /// Those of a store in files.
        package var inFiles = 0
        package var items = 0
        package var deliveries = 0
        package var completed = 0
        package var evicted = 0
        package var redriven = 0
        package var crashesOfItems = 0
        package var deaths = 0
        /// How many items became letters, by the reason.
        package var letters: [String: Int] = [:]

        package init() {}

        /// What never came about, of what should in many stories.
        package var missing: [String] {
            let reasons = [
                "attemptsExhausted", "crashLoop", "nonRetryable", "undecodable", "expired", "rejectedByHandler",
                "precedingItemParked",
            ]
            return reasons.filter { letters[$0] == nil } + (evicted == 0 ? ["evictions"] : [])
                + (redriven == 0 ? ["redrives"] : []) + (deaths == 0 ? ["deaths"] : [])
        }

        package static func += (left: inout Summary, right: Summary) {
            left.stories += right.stories
            left.inFiles += right.inFiles
            left.items += right.items
            left.deliveries += right.deliveries
            left.completed += right.completed
            left.evicted += right.evicted
            left.redriven += right.redriven
            left.crashesOfItems += right.crashesOfItems
            left.deaths += right.deaths
            left.letters.merge(right.letters, uniquingKeysWith: +)
        }
    }

    let settings: QueueStorySettings
    let left: Set<Feature>
    let world: QueueWorld
    let executor: ManualExecutor
    var processes: [QueueProcess] = []
    var open: [(process: Int, pending: ManualExecutor.Pending<Void>)] = []
    var consumers: [(process: Int, consumer: Consumer<WorkItem>, pending: ManualExecutor.Pending<Void>)] = []
    var processCount = 0
    var actCount = 0
    var deaths = 0

    init(
        seed: UInt64, inFiles hasFiles: Bool?, bug: PlantedQueueBug? = nil, leavingOut left: Set<Feature> = [],
        notesAreKept: Bool = false
    ) {
        let random = RandomSource.seeded(seed)
        var settings = QueueStorySettings(random, inFiles: hasFiles)
        if left.contains(.losses) { settings.lossChance = 0 }
        if left.contains(.gates) { settings.gateChance = 0 }
        if left.contains(.consumers) { settings.hasConsumers = false }
        self.settings = settings
        self.left = left
        world = QueueWorld(settings, random, bug, notesAreKept: notesAreKept)
        executor = ManualExecutor(random: random)
        world.tell { $0.note("\(settings)") }
    }

    init(_ settings: QueueStorySettings, seed: UInt64) {
        let random = RandomSource.seeded(seed)
        self.settings = settings
        left = []
        world = QueueWorld(settings, random, nil, notesAreKept: true)
        executor = ManualExecutor(random: random)
    }

    /// Tells the story of that number.
    ///
    /// - Parameter inFiles: Whether the store is in files; the number says so unless it is given.
    /// - Throws: ``Violation``, with the story up to there, and without what it does not need.
    package static func tell(seed: UInt64, inFiles: Bool? = nil) throws(Violation) -> Summary {
        var story = QueueStory(seed: seed, inFiles: inFiles)
        if let found = story.tell() { throw shrink(seed, inFiles, found) }
        var summary = story.world.tell { $0.summary }
        summary.stories = 1
        summary.inFiles = story.settings.hasFiles ? 1 : 0
        summary.deaths = story.deaths
        return summary
    }

    /// What the model says of the bug in the story of that number; `nil` if it does not show.
    package static func shows(_ bug: PlantedQueueBug, seed: UInt64, inFiles: Bool? = nil) -> String? {
        var story = QueueStory(seed: seed, inFiles: inFiles, bug: bug)
        return story.tell()
    }

    /// Leaves out of a story what its violation does not need.
    private static func shrink(_ seed: UInt64, _ inFiles: Bool?, _ found: String) -> Violation {
        var left: Set<Feature> = []
        for feature in Feature.allCases {
            var story = QueueStory(seed: seed, inFiles: inFiles, leavingOut: left.union([feature]))
            if story.tell() != nil { left.insert(feature) }
        }
        var story = QueueStory(seed: seed, inFiles: inFiles, leavingOut: left, notesAreKept: true)
        let last = story.tell() ?? found
        let notes = story.world.tell { $0.notes ?? [] }.map { "    \($0)" }.joined(separator: "\n")
        let names = Feature.allCases.filter(left.contains).map { "\($0)" }.joined(separator: ", ")
        return Violation(
            description:
                "story \(seed): \(found)\nwithout \(names.isEmpty ? "leaving anything out" : names): \(last)\n\(notes)")
    }

    private mutating func tell() -> String? {
        for _ in 0..<settings.processes { startProcess() }
        for _ in 0..<settings.actions {
            act()
            if let violation { return violation }
        }
        comeToRest()
        if let violation { return violation }
        finish()
        return violation
    }

    var violation: String? { world.tell { $0.violation } }

    func draw(_ count: Int) -> Int { world.draw(count) }
    func pick<Value>(_ values: [Value]) -> Value { world.pick(values) }

    /// Whether this happens in this story at all.
    func has(_ feature: Feature) -> Bool { !left.contains(feature) }

    // MARK: Processes

    mutating func startProcess() {
        processCount += 1
        processes.append(QueueProcess(processCount, world))
    }

    /// Starts something that a process does.
    @discardableResult
    mutating func start(
        _ process: QueueProcess, _ body: @escaping @Sendable () async -> Void
    ) -> ManualExecutor.Pending<Void> {
        actCount += 1
        let number = actCount
        let pending = executor.start { await Act.$number.withValue(number) { await body() } }
        open.append((process.link.number, pending))
        return pending
    }

    /// Others take the place of those that have died.
    mutating func replaceTheDead() {
        for process in processes where !process.link.isAlive {
            deaths += 1
            for each in open where each.process == process.link.number { each.pending.cancel() }
            consumers.removeAll { $0.process == process.link.number }
        }
        processes.removeAll { !$0.link.isAlive }
        while processes.count < settings.processes { startProcess() }
        open.removeAll { $0.pending.value != nil }
    }

    /// All processes are gone, and the store is opened again by others: all leases end at once.
    mutating func reopen() {
        world.tell { $0.note("all processes die, and the store is opened again") }
        for process in processes { process.link.end() }
        if settings.hasFiles {
            world.reopenFiles()
            world.endAllOfBefore()
            return replaceTheDead()
        }
        let base = world.base
        world.tell { $0.endLeases() }
        do {
            try executor.run {
                for collection in [Names.queue, Names.letters, Names.task.collection] {
                    let page = try await base.scan(collection, state: nil, after: nil, limit: 1_000)
                    for record in page.records where record.isHeld(at: page.now) {
                        _ = try await base.extend(record.id, fence: record.fence, lease: .zero)
                    }
                }
            }
        } catch {
            world.tell { $0.accuse("the store does not open: \(error)") }
        }
        replaceTheDead()
    }
}
