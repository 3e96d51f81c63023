// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Testing

@testable import reliability_trials

@Suite struct CommandLineTests {
    @Test func `a command line selects trials and sets what they are given`() throws {
        #expect(try Options([]).trials.map(\.name) == Trial.all.map(\.name))
        let options = try Options(["power-cut", "--cycles", "7", "kill", "--seed", "0", "--directory", "d"])
        #expect(options.trials.map(\.name) == ["kill", "power-cut"])
        #expect(options.cycles == 7 && options.seed == 0 && options.directory == "d" && options.action == .run)
        #expect(try Options(["simulate", "--crashes", "9"]).cycles == 9)
        #expect(try Options(["idempotency", "--stories", "9"]).cycles == 9)
        #expect(try Options(["queues", "--stories", "9"]).trials.map(\.name) == ["queues"])
        #expect(try Options(["--list"]).action == .list)
        #expect(try Options(["-h"]).action == .help)
    }

    @Test(arguments: [
        (["kil"], "there is no trial or option kil"), (["--cycles"], "--cycles needs a number from 1"),
        (["--cycles", "0"], "--cycles needs a number from 1"), (["--seed", "x"], "--seed needs a number from 0"),
        (["--directory"], "--directory needs a value"), (["child", "d"], "no way to start a child"),
    ])
    func `what cannot be meant is refused`(words: [String], reason: String) throws {
        let error = #expect(throws: Options.Malformed.self) { try Options(words) }
        #expect(error?.description == reason)
    }

    @Test func `a child is told what it was given`() throws {
        var settings = ChildSettings(directory: "/a b/c", seed: .max, firstNumber: 5)
        #expect(try Options(settings.arguments).action == .child(settings))
        settings.work = .fill
        settings.callers = 2
        settings.operations = 3
        settings.lives = 4
        settings.fileSizeLimit = 6
        settings.committer = .caller
        #expect(try Options(settings.arguments).action == .child(settings))
    }

    @Test func `trials have names of their own, and the help tells them`() {
        #expect(Set(Trial.all.map(\.name)).count == Trial.all.count)
        for trial in Trial.all { #expect(Options.help.contains("  \(trial.name) ")) }
    }
}
