// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// A random story of sagas: definitions that are drawn, coordinators that die at any commit or sleep past their leases,
/// participants that fail before and after their effect, messages early, late and twice, on virtual time.
///
/// ```swift
/// let summary = try SagaStory.tell(seed: 7)
/// ```
///
/// What runs next is drawn, so a seed gives the same story each time. In the end participants do what they are asked,
/// and every saga is driven until it is over.
package struct SagaStory {
    /// A promise that was broken, and how to see it again.
    package struct Violation: Error, CustomStringConvertible {
        package let description: String
    }

    /// What may be left out of a story, to see whether a violation needs it.
    package enum Feature: CaseIterable, Sendable {
        case losses, gates, pauses, deaths, cancellations, runs, messages, verbs, deadlines, waits, groups, rules
        case policies, oldProcesses
    }

    /// How stories went.
    package struct Summary: Hashable, Sendable {
        package var stories = 0
        package var sagas = 0
        package var calls = 0
        package var effects = 0
        package var undone = 0
        package var commits = 0
        package var claims = 0
        package var takenOver = 0
        package var messages = 0
        package var blocked = 0
        package var deaths = 0
        /// How often a saga came to rest so, by result and by the reason of being stuck.
        package var results: [String: Int] = [:]
        /// How many lines of history there are, by kind.
        package var entries: [String: Int] = [:]

        package init() {}

        /// What never came about, of what should in many stories.
        package var missing: [String] {
            let results = SagaStuck.Reason.allCases.map { "\($0)" } + ["completed", "compensated"]
            return results.filter { self.results[$0] == nil }
                + SagaEntry.Kind.allCases.filter { $0 != .migrated }.map { "\($0)" }.filter { entries[$0] == nil }
                + (deaths == 0 ? ["deaths"] : []) + (takenOver == 0 ? ["takeovers"] : [])
                + (blocked == 0 ? ["blocked"] : [])
        }

        package static func += (left: inout Summary, right: Summary) {
            left.stories += right.stories
            left.sagas += right.sagas
            left.calls += right.calls
            left.effects += right.effects
            left.undone += right.undone
            left.commits += right.commits
            left.claims += right.claims
            left.takenOver += right.takenOver
            left.messages += right.messages
            left.blocked += right.blocked
            left.deaths += right.deaths
            left.results.merge(right.results, uniquingKeysWith: +)
            left.entries.merge(right.entries, uniquingKeysWith: +)
        }
    }

    struct Opened {
        let process: Int
        let pending: ManualExecutor.Pending<Void>
    }

    let settings: SagaStorySettings
    let features: Set<Feature>
    let world: SagaWorld
    let executor: ManualExecutor
    var processes: [SagaProcess] = []
    var open: [Opened] = []
    var processCount = 0
    var actCount = 0
    var deaths = 0

    init(seed: UInt64, bug: PlantedSagaBug?, features: Set<Feature>, notesAreKept: Bool) {
        let random = RandomSource.seeded(seed)
        settings = SagaStorySettings(random, features: features)
        self.features = features
        world = SagaWorld(settings, random, bug, notesAreKept: notesAreKept)
        executor = ManualExecutor(random: random)
        let settings = settings
        world.tell { model in
            model.forgetsKeys = bug?.participant == .forgetsKeys
            model.note("\(settings)")
        }
    }

    /// Tells the story of that number.
    ///
    /// - Throws: ``Violation``, with the story up to there, and without what it does not need.
    package static func tell(seed: UInt64) throws(Violation) -> Summary {
        var story = SagaStory(seed: seed, bug: nil, features: Set(Feature.allCases), notesAreKept: false)
        if let found = story.tell() { throw shrink(seed, found) }
        var summary = story.world.tell { $0.summary }
        summary.stories = 1
        summary.deaths = story.deaths
        return summary
    }

    /// What the model says of the bug in the story of that number; `nil` if it does not show.
    package static func shows(_ bug: PlantedSagaBug, seed: UInt64) -> String? {
        var story = SagaStory(seed: seed, bug: bug, features: Set(Feature.allCases), notesAreKept: false)
        return story.tell()
    }

    /// Leaves out of a story what its violation does not need.
    private static func shrink(_ seed: UInt64, _ found: String) -> Violation {
        var features = Set(Feature.allCases)
        for feature in Feature.allCases {
            let fewer = features.subtracting([feature])
            var story = SagaStory(seed: seed, bug: nil, features: fewer, notesAreKept: false)
            if story.tell() != nil { features = fewer }
        }
        var story = SagaStory(seed: seed, bug: nil, features: features, notesAreKept: true)
        let last = story.tell() ?? found
        let notes = story.world.tell { $0.notes ?? [] }.map { "    \($0)" }.joined(separator: "\n")
        let names = Feature.allCases.filter(features.contains).map { "\($0)" }.joined(separator: ", ")
        return Violation(description: "story \(seed): \(found)\nwith \(names): \(last)\n\(notes)")
    }

    private mutating func tell() -> String? {
        for _ in 0..<2 { startProcess() }
        for _ in 0..<settings.actions {
            act()
            if let violation { return violation }
        }
        finish()
        return violation
    }

    var violation: String? { world.tell { $0.violation } }

    func draw(_ count: Int) -> Int { world.draw(count) }
    func pick<Value>(_ values: [Value]) -> Value { world.pick(values) }

    /// Whether this happens in this story at all.
    func has(_ feature: Feature) -> Bool { features.contains(feature) }

    // MARK: Processes

    mutating func startProcess() {
        processCount += 1
        processes.append(SagaProcess(processCount, world, isOld: has(.oldProcesses) && draw(12) == 0))
    }

    /// Starts something that a process does.
    mutating func start(_ process: SagaProcess, _ body: @escaping @Sendable () async -> Void) {
        actCount += 1
        let number = actCount
        let pending = executor.start { await Act.$number.withValue(number) { await body() } }
        open.append(Opened(process: process.link.number, pending: pending))
    }

    /// Runs whatever is ready; who never comes to rest breaks a promise too.
    func runUntilIdle() {
        for _ in 0..<20_000 where !executor.step() { return }
        world.tell { $0.accuse("somebody never comes to rest") }
    }

    /// Others take the place of those that have died.
    mutating func replaceTheDead() {
        for process in processes where !process.link.isAlive {
            deaths += 1
            for each in open where each.process == process.link.number { each.pending.cancel() }
            world.resume(process.link.number)
        }
        processes.removeAll { !$0.link.isAlive }
        while processes.count < 2 { startProcess() }
        open.removeAll { $0.pending.value != nil }
    }
}
