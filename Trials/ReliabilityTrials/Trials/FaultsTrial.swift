// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

extension Trial {
    /// Every system call that the store relies on fails once, at each of its first occurrences, or kills the process.
    static let faults = Trial(
        name: "faults", summary: "lets single system calls fail, or kills the process in them", cycles: 1
    ) { context in
        if let reason = refusal() { return .skipped(reason) }
        var runs = 0
        var struck = 0
        var acknowledged = 0
        for round in 0..<context.cycles {
            for call in InjectedCall.all {
                let struckBefore = struck
                var story = Story(context.scratch.newPath("faults"))
                for occurrence in 1...call.occurrences {
                    for fault in InjectedFault.allCases {
                        // Every other time in a directory of its own, to meet the making of a store as well.
                        if runs.isMultiple(of: 2) {
                            acknowledged += story.ledger.acknowledged
                            story = Story(context.scratch.newPath("faults"))
                        }
                        runs += 1
                        let seed = context.seed &+ UInt64(runs) &+ UInt64(round) &* 1_000_000
                        if try await run(call, occurrence, fault, seed: seed, &story) { struck += 1 }
                    }
                }
                acknowledged += story.ledger.acknowledged
                guard struck > struckBefore else { throw story.failure("no fault at \(call.name) was ever met") }
            }
        }
        return .passed(
            "\(runs) runs, \(struck) of them struck, \(commits(acknowledged)), none missing, every error named its file"
        )
    }

    /// Lets a child meet the fault, if it comes that far; `true` if it did.
    private static func run(
        _ call: InjectedCall, _ occurrence: Int, _ fault: InjectedFault, seed: UInt64, _ story: inout Story
    ) async throws -> Bool {
        if story.ledger.judged > 0 { try await crashBefore(seed: seed, &story) }
        story.note("(\(fault.rawValue) at \(call.name) number \(occurrence))")
        var settings = ChildSettings(directory: story.directory, seed: seed, firstNumber: story.ledger.nextNumber)
        settings.callers = 2
        settings.operations = 12
        settings.lives = 2
        let log = story.directory + ".log"
        let openingsBefore = story.openings
        let child = try Child(
            call.tracing(occurrence, fault, of: settings.command, directory: story.directory, log: log))
        let exit = try story.finish(child)
        switch (exit, fault) {
        case (.status(0), _): break
        case (.killed, .kill): break
        default: throw story.failure("the child ended with \(exit)")
        }
        guard exit == .killed || story.openings > openingsBefore else {
            throw story.failure("after one call had failed, the store could not be opened any more")
        }
        try expectFileNames(in: story)
        for error in story.errors where [.inUse, .damaged, .missing].contains(error.kind) {
            throw story.failure("not what a failed call means: \(error.text)")
        }
        let hasStruck = try exit == .killed || isInjected(log)
        if hasStruck, exit != .killed, story.errors.isEmpty, story.notices.isEmpty, call.mustBeReported(fault) {
            throw story.failure("\(call.name) number \(occurrence) failed with \(fault.rawValue), and nobody was told")
        }
        try await Inspection.judge(&story)
        return hasStruck
    }

    /// Whether the log of a traced child tells that the fault was met.
    private static func isInjected(_ log: String) throws -> Bool {
        let text = String(decoding: try SystemFileSystem().read(log), as: UTF8.self)
        return text.contains("(INJECTED)")
    }

    /// A life that ends in a kill, so that the next opening has something to put in order.
    private static func crashBefore(seed: UInt64, _ story: inout Story) async throws {
        let child = try Child(
            ChildSettings(directory: story.directory, seed: seed, firstNumber: story.ledger.nextNumber).command)
        try await Moment.atWork(.milliseconds(5)).wait(for: child, in: &story)
        try story.finishKilled(child)
    }

    /// Why no call can be made to fail; `nil` if it can.
    private static func refusal() -> String? {
        do {
            try Tool.run(
                "strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "inject=?fdatasync:error=EIO", "true")
            return nil
        } catch let error as Tool.Failed {
            return error.reason
        } catch {
            return "strace: \(error)"
        }
    }
}
