// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CircuitSimulation

extension Trial {
    /// A circuit breaker beside a slow and obvious model of it.
    static let circuit = Trial(
        name: "circuit", summary: "random sequences of what can be done with a circuit breaker, beside a model of it",
        cycles: 100_000
    ) { context in
        let first = context.seed &+ 1
        let halves = [0..<context.cycles / 2, context.cycles / 2..<context.cycles]
        let summary = try await withThrowingTaskGroup(of: CircuitStory.Summary.self) { group in
            for half in halves {
                group.addTask {
                    var summary = CircuitStory.Summary()
                    for number in half {
                        if Task.isCancelled { break }
                        do { summary += try CircuitStory.tell(seed: first &+ UInt64(number)) } catch {
                            throw TrialFailed(what: "\(error)", story: [])
                        }
                    }
                    return summary
                }
            }
            return try await group.reduce(into: CircuitStory.Summary()) { $0 += $1 }
        }
        // Few stories need not come to everything.
        guard context.cycles < 2_000 || summary.missing.isEmpty else {
            throw TrialFailed(what: "nothing was ever told of \(summary.missing)", story: [])
        }
        let events = summary.events.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        return .passed("\(summary.stories) stories from \(first) with \(summary.steps) steps; \(events)")
    }
}
