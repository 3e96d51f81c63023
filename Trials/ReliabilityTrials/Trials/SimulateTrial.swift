// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Synchronization

extension Trial {
    /// Crashes by the thousand, on a simulated disk: every one of short scripts, and random ones of long stories.
    static let simulate = Trial(
        name: "simulate", summary: "simulated crashes and failures: all of short scripts, and so many random ones",
        cycles: 100_000
    ) { context in
        let work = Work(seed: context.seed, crashes: context.cycles)
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Two threads are busy all the time, each with a piece of work of its own.
            for _ in 0..<2 { group.addTask { try work.run() } }
            try await group.waitForAll()
        }
        guard work.isComplete else { throw TrialFailed(what: "too little was tried: \(work.summary)", story: []) }
        return .passed(work.summary)
    }
}

/// What is to be done, piece by piece, and what was done.
private final class Work: Sendable {
    private enum Piece {
        case crashes(StoreScript, FileDurability, FileCommitter)
        case faults(StoreScript, FileDurability, FileCommitter)
        case fullDisk(FileDurability, FileCommitter)
        case story(UInt64)
    }

    private struct State {
        var pieces: [Piece]
        var nextStory: UInt64 = 0
        var counts = StoreEnumeration.Counts()
        var stories = StoreSimulation.Summary()
        var hasFailed = false
    }

    private static let durabilities = [FileDurability.everyCommit, .interval(.seconds(1)), .operatingSystem]
    private let seed: UInt64
    private let crashes: Int
    private let state: Locked<State>

    init(seed: UInt64, crashes: Int) {
        self.seed = seed
        self.crashes = crashes
        let pieces = Self.durabilities.flatMap { durability in
            // Callers that write are in half of the stories of every kind.
            (durability == .everyCommit ? [FileCommitter.ownThread, .caller] : [.ownThread]).flatMap { committer in
                StoreScript.all.flatMap { script in
                    [Piece.crashes(script, durability, committer), .faults(script, durability, committer)]
                } + [.fullDisk(durability, committer)]
            }
        }
        state = Locked(State(pieces: pieces))
    }

    func run() throws {
        while let piece = next() {
            do {
                try carryOut(piece)
            } catch {
                state.withLock { $0.hasFailed = true }
                throw TrialFailed(what: "\(error)", story: [])
            }
        }
    }

    private func next() -> Piece? {
        state.withLock { state in
            if state.hasFailed { return nil }
            if let piece = state.pieces.popLast() { return piece }
            guard state.stories.crashes < crashes else { return nil }
            state.nextStory += 1
            return .story(seed &+ state.nextStory)
        }
    }

    private func carryOut(_ piece: Piece) throws {
        switch piece {
        case .crashes(let script, let durability, let committer):
            var enumeration = try StoreEnumeration(script, durability: durability, committer: committer)
            try enumeration.crashEverywhere()
            add(enumeration.counts)
        case .faults(let script, let durability, let committer):
            var enumeration = try StoreEnumeration(script, durability: durability, committer: committer)
            try enumeration.failEverywhere()
            add(enumeration.counts)
        case .fullDisk(let durability, let committer):
            var enumeration = try FullDiskEnumeration(durability: durability, committer: committer, outcomes: 100)
            for isFullBefore in [true, false] {
                try enumeration.fill(spare: stride(from: 0, to: 70_000, by: 1_000), isFullBefore: isFullBefore)
            }
            add(enumeration.counts)
        case .story(let seed):
            let durability = Self.durabilities[Int(seed % 3)]
            do {
                let summary = try StoreSimulation.story(seed: seed, durability: durability)
                state.withLock { $0.stories += summary }
            } catch {
                throw error.of("story \(seed), \(durability)")
            }
        }
    }

    private func add(_ counts: StoreEnumeration.Counts) { state.withLock { $0.counts += counts } }

    /// Whether there was as much to try as there has to be.
    var isComplete: Bool {
        state.withLock { state in
            state.stories.crashes >= crashes && state.counts.crashes > 300_000 && state.counts.nestedCrashes > 300_000
                && state.counts.faults > 20_000
        }
    }

    var summary: String {
        let (counts, stories, last) = state.withLock { ($0.counts, $0.stories, seed &+ $0.nextStory) }
        return """
            \(counts.crashes) crashes of scripts and \(counts.nestedCrashes) of their recoveries, \(counts.faults) faults, \
            \(counts.openings) openings; \(stories.crashes) random crashes in stories \(seed &+ 1) to \(last), with \
            \(stories.openings) openings and \(stories.snapshots) snapshots
            """
    }
}
