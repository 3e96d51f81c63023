// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import IdempotencySimulation
internal import Synchronization

extension Trial {
    /// Idempotent operations with callers, processes and a store that fail at any moment.
    static let idempotency = Trial(
        name: "idempotency", summary: "simulated stories of idempotent operations, their processes and their store",
        cycles: 20_000
    ) { context in
        let stories = Stories(first: context.seed &+ 1, count: context.cycles)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Two threads are busy all the time, each with a story of its own.
            for _ in 0..<2 { group.addTask { try stories.run() } }
            try await group.waitForAll()
        }
        let untold = stories.untold
        // Few stories need not come to everything.
        guard context.cycles < 2_000 || untold.isEmpty else {
            throw TrialFailed(what: "nothing was ever told as \(untold)", story: [])
        }
        return .passed(stories.summary)
    }
}

private final class Stories: Sendable {
    private struct State {
        var next = 0
        var summary = IdempotencyStory.Summary()
        var hasFailed = false
    }

    private let first: UInt64
    private let count: Int
    private let state = Mutex(State())

    init(first: UInt64, count: Int) {
        self.first = first
        self.count = count
    }

    func run() throws {
        while let seed = next() {
            do {
                let told = try IdempotencyStory.tell(seed: seed)
                state.withLock { $0.summary += told }
            } catch {
                state.withLock { $0.hasFailed = true }
                throw TrialFailed(what: "\(error)", story: [])
            }
        }
    }

    private func next() -> UInt64? {
        state.withLock { state in
            guard !state.hasFailed, state.next < count else { return nil }
            defer { state.next += 1 }
            return first &+ UInt64(state.next)
        }
    }

    var untold: [String] { state.withLock { $0.summary.untold } }

    var summary: String {
        let summary = state.withLock { $0.summary }
        let events = summary.events.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        return """
            \(summary.stories) stories from \(first) with \(summary.calls) calls, \(summary.deliveries) of them of \
            messages, \(summary.runs) runs, \(summary.unprotectedRuns) of them without protection and \
            \(summary.outstayed) that went on although they were cancelled, \(summary.effects) effects, \
            \(summary.crashes) crashes of the store and \(summary.processCrashes) of processes; \(events)
            """
    }
}
