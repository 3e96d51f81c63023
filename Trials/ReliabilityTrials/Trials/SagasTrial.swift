// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import SagaSimulation

extension Trial {
    /// Sagas of drawn definitions, with everybody failing, dying, sleeping and being told things.
    static let sagas = Trial(
        name: "sagas", summary: "simulated stories of sagas, of who drives them and of what their steps do",
        cycles: 50_000
    ) { context in
        let first = context.seed &+ 1
        // Two threads are busy all the time.
        let halves = [0..<context.cycles / 2, context.cycles / 2..<context.cycles]
        let summary = try await withThrowingTaskGroup(of: SagaStory.Summary.self) { group in
            for half in halves {
                group.addTask {
                    var summary = SagaStory.Summary()
                    for number in half {
                        if Task.isCancelled { break }
                        do { summary += try SagaStory.tell(seed: first &+ UInt64(number)) } catch {
                            throw TrialFailed(what: "\(error)", story: [])
                        }
                    }
                    return summary
                }
            }
            return try await group.reduce(into: SagaStory.Summary()) { $0 += $1 }
        }
        // Few stories need not come to everything.
        guard context.cycles < 2_000 || summary.missing.isEmpty else {
            throw TrialFailed(what: "there were never \(summary.missing)", story: [])
        }
        let results = summary.results.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        return .passed(
            """
            \(summary.stories) stories from \(first) with \(summary.sagas) sagas, \(summary.commits) commits, \
            \(summary.calls) calls, \(summary.effects) effects, \(summary.undone) undone, \(summary.messages) messages, \
            \(summary.takenOver) taken over, \(summary.deaths) deaths of processes; \(results)
            """)
    }
}
