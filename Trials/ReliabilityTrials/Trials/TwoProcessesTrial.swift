// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

extension Trial {
    /// One process has the directory, another one cannot have it until the first is gone.
    static let twoProcesses = Trial(
        name: "two-processes", summary: "a second process cannot open the directory until the first is gone",
        cycles: 20
    ) { context in
        var story = Story(context.scratch.newPath("two-processes"))
        for cycle in 0..<context.cycles {
            var settings = ChildSettings(
                directory: story.directory, seed: context.seed &+ UInt64(cycle), firstNumber: story.ledger.nextNumber)
            let first = try Child(settings.command)
            guard try story.follow(first, until: { if case .committed = $0 { true } else { false } }) else {
                throw story.failure("the first process ended with \(first.wait())")
            }
            let second = try Child(settings.command)
            try expectInUse(second, by: first.identifier, in: &story)
            do {
                _ = try FileRecordStore(directory: story.directory)
                throw story.failure("this process opened the directory of another one")
            } catch let error as FileStoreError {
                guard error == .inUse(directory: story.directory, pid: first.identifier) else {
                    throw story.failure("this process was told: \(error)")
                }
            }
            try story.follow(first, until: ContinuousClock.now + context.duration(upTo: .milliseconds(10)))
            try story.finishKilled(first)
            // At once: the lock goes with the process that had it.
            settings.firstNumber = story.ledger.nextNumber
            settings.operations = 20
            let third = try Child(settings.command)
            let exit = try story.finish(third)
            guard exit == .status(0), story.errors.isEmpty else {
                throw story.failure("the process after a killed one ended with \(exit), \(story.errors)")
            }
            try await Inspection.judge(&story)
        }
        return .passed(
            "\(context.cycles) cycles, \(commits(story.ledger.acknowledged)), one process at a time, fences go on")
    }

    /// The child tells nothing but that the directory is in use, as often as it tries.
    private static func expectInUse(_ child: Child, by identifier: Int32, in story: inout Story) throws {
        var refusals = 0
        let deadline = ContinuousClock.now + Story.patience
        while case .line(let line) = try child.nextLine(until: deadline) {
            story.note("(second process) \(line)")
            guard case .notOpened(let error)? = Event(line), error.kind == .inUse, error.pid == identifier else {
                throw story.failure("the second process was not told that process \(identifier) has the directory")
            }
            refusals += 1
        }
        let exit = child.wait()
        guard exit == .status(0), refusals > 0 else {
            throw story.failure("the second process ended with \(exit) after \(refusals) refusals")
        }
    }
}
