// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

extension Trial {
    /// SIGKILL at a random moment, again and again in the same directory.
    static let kill = Trial(
        name: "kill", summary: "kills the process at random moments, in the same directory throughout", cycles: 200
    ) { context in
        var story = Story(context.scratch.newPath("kill"))
        for cycle in 0..<context.cycles {
            var settings = ChildSettings(
                directory: story.directory, seed: context.seed &+ UInt64(cycle), firstNumber: story.ledger.nextNumber)
            if cycle % 2 == 0 {
                // So few that they often find the store idle.
                settings.committer = .caller
                settings.callers = 2
            }
            // Now and then nothing is left, and fences and positions have to go on all the same.
            if cycle % 10 == 9 { settings.work = .clear }
            let child = try Child(settings.command)
            if settings.work == .clear {
                let exit = try story.finish(child)
                guard exit == .status(0) else { throw story.failure("the child ended with \(exit)") }
            } else {
                try await Moment.random(context).wait(for: child, in: &story)
                try story.finishKilled(child)
            }
            if let error = (story.errors + story.notices).first {
                throw story.failure("nothing should have failed: \(error.text)")
            }
            try await Inspection.judge(&story)
        }
        return .passed(
            "\(context.cycles) cycles, \(commits(story.ledger.acknowledged)), none missing, "
                + "\(story.compactions) snapshots")
    }
}
