// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// A proof that needs a real machine.
struct Trial: Sendable {
    enum Outcome: Equatable {
        /// Nothing was found; what was done, for people.
        case passed(String)
        /// It is not possible on this machine, and why.
        case skipped(String)
    }

    /// What it is called on the command line.
    let name: String
    /// What it does, in a line.
    let summary: String
    /// How many cycles it has unless the command line says otherwise.
    let cycles: Int
    /// - Throws: ``TrialFailed`` if a promise was not kept.
    let run: @Sendable (TrialContext) async throws -> Outcome

    static let all: [Trial] = [
        .kill, .powerCut, .faults, .fullDisk, .twoProcesses, .damage, .simulate, .idempotency, .circuit, .keyFlood,
        .queues, .sagas,
    ]
}

/// What a trial has to work with.
struct TrialContext: Sendable {
    let cycles: Int
    let seed: UInt64
    let random: RandomSource
    let scratch: Scratch

    init(cycles: Int, seed: UInt64, scratch: Scratch) {
        self.cycles = cycles
        self.seed = seed
        self.scratch = scratch
        random = .seeded(seed)
    }

    /// A duration drawn evenly from zero to the given one.
    func duration(upTo longest: Duration) -> Duration {
        .nanoseconds(random.draw(upTo: longest.nanosecondsRoundedDown))
    }
}

/// A promise was not kept, or something happened that no trial provides for.
struct TrialFailed: Error, CustomStringConvertible {
    let what: String
    /// The last events before.
    let story: [String]

    var description: String {
        story.isEmpty ? what : "\(what)\nlast events:\n" + story.map { "    \($0)" }.joined(separator: "\n")
    }
}
