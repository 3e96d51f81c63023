// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

extension Trial {
    /// The power goes at a random moment: what no sync has brought to the disk is gone.
    static let powerCut = Trial(
        name: "power-cut", summary: "cuts the power of a file system, so that all that was not synced is lost",
        cycles: 100
    ) { context in
        if let reason = PrivateMounts.refusal { return .skipped(reason) }
        let disk: LoopDisk
        do {
            disk = try LoopDisk(context.scratch)
        } catch let error as Tool.Failed {
            return .skipped(error.reason)
        } catch let error as SystemError {
            return .skipped("\(error)")
        }
        var finished: [Story] = []
        var story = Story(disk.path(of: "store-0"))
        for cycle in 0..<context.cycles {
            // A new directory now and then: its own name has to be durable too.
            if cycle > 0, cycle.isMultiple(of: 10) {
                finished.append(story)
                story = Story(disk.path(of: "store-\(cycle)"))
            }
            var settings = ChildSettings(
                directory: story.directory, seed: context.seed &+ UInt64(cycle), firstNumber: story.ledger.nextNumber)
            if cycle % 2 == 0 {
                settings.committer = .caller
                settings.callers = 2
            }
            // Now and then right after an opening, with no sync since that could make good what it left out.
            if cycle % 5 == 4 { settings.work = .idle }
            let child = try Child(settings.command)
            if settings.work == .idle {
                _ = try story.follow(child, until: { $0 == .whole })
            } else {
                try await Moment.random(context).wait(for: child, in: &story)
            }
            // All that the child has told so far: what it tells from here on was perhaps told without power.
            try story.follow(child, until: .now)
            try story.take(.powerCut)
            try disk.cutPower()
            if settings.work == .idle {
                try story.finishKilled(child)
            } else {
                try expectTypedEnd(of: child, &story)
            }
            try disk.restart()
            try await Inspection.judge(&story)
        }
        try disk.remove()
        let total = finished.reduce(story.ledger.acknowledged) { $0 + $1.ledger.acknowledged }
        return .passed("\(context.cycles) cycles, \(commits(total)), none missing")
    }

    /// Without its disk, the child ends on its own, having told so for every operation that was under way.
    private static func expectTypedEnd(of child: Child, _ story: inout Story) throws {
        let exit = try story.finish(child)
        guard exit == .status(0) else { throw story.failure("the child ended with \(exit) after the power cut") }
        guard !story.errors.isEmpty else { throw story.failure("the child met no error after the power cut") }
        try expectFileNames(in: story)
    }
}
