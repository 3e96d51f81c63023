// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import QueueSimulation

extension Trial {
    /// Queues, their dead letters and redrives, with everybody dying at any commit.
    static let queues = Trial(
        name: "queues", summary: "simulated stories of queues, dead letters and redrives, and of who dies beside them",
        cycles: 20_000
    ) { context in
        let first = context.seed &+ 1
        // Two threads are busy all the time.
        let halves = [0..<context.cycles / 2, context.cycles / 2..<context.cycles]
        let summary = try await withThrowingTaskGroup(of: QueueStory.Summary.self) { group in
            for half in halves {
                group.addTask {
                    var summary = QueueStory.Summary()
                    for number in half {
                        if Task.isCancelled { break }
                        do { summary += try QueueStory.tell(seed: first &+ UInt64(number)) } catch {
                            throw TrialFailed(what: "\(error)", story: [])
                        }
                    }
                    return summary
                }
            }
            return try await group.reduce(into: QueueStory.Summary()) { $0 += $1 }
        }
        // Few stories need not come to everything.
        guard context.cycles < 2_000 || summary.missing.isEmpty else {
            throw TrialFailed(what: "there were never \(summary.missing)", story: [])
        }
        let letters = summary.letters.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        return .passed(
            """
            \(summary.stories) stories from \(first), \(summary.inFiles) of them in files, with \(summary.items) items, \
            \(summary.deliveries) deliveries, \(summary.completed) completed, \(summary.crashesOfItems) crashes \
            counted, \(summary.deaths) deaths of processes, \(summary.redriven) redriven, \(summary.evicted) evicted; \
            letters: \(letters)
            """)
    }
}
