// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What a child is told on its command line.
struct ChildSettings: Equatable {
    enum Work: String {
        /// Callers that do everything, each for so many operations.
        case mixed
        /// Large inserts until there is no room, then changes of what stands.
        case fill
        /// Deletes everything, and ends without closing the store.
        case clear
        /// Opens the store, and does nothing until it is killed.
        case idle
    }

    var directory: String
    var seed: UInt64
    var firstNumber: UInt64
    var work = Work.mixed
    var callers = 6
    /// Operations of each caller; many more than a child lives to do, unless it is to end by itself.
    var operations = 1_000_000
    /// How often the store is opened, used and closed, one after another.
    var lives = 1
    var fileSizeLimit: Int?
    /// Who writes.
    var committer = FileCommitter.ownThread

    init(directory: String, seed: UInt64, firstNumber: UInt64) {
        self.directory = directory
        self.seed = seed
        self.firstNumber = firstNumber
    }

    /// The words after the program's name.
    var arguments: [String] {
        [
            "child", directory, "\(seed)", "\(firstNumber)", work.rawValue, "\(callers)", "\(operations)", "\(lives)",
            fileSizeLimit.map { "\($0)" } ?? "-", "\(committer)",
        ]
    }

    /// The command line that starts such a child.
    var command: [String] { [Tool.ownPath] + arguments }

    /// Reads what ``arguments`` gives.
    init?(_ arguments: some Collection<String>) {
        let words = Array(arguments)
        guard words.count == 10, words[0] == "child", let seed = UInt64(words[2]), let firstNumber = UInt64(words[3]),
            let work = Work(rawValue: words[4]), let callers = Int(words[5]), let operations = Int(words[6]),
            let lives = Int(words[7]), words[8] == "-" || Int(words[8]) != nil,
            let committer = [FileCommitter.ownThread, .caller].first(where: { "\($0)" == words[9] })
        else { return nil }
        self.init(directory: words[1], seed: seed, firstNumber: firstNumber)
        self.work = work
        self.callers = callers
        self.operations = operations
        self.lives = lives
        fileSizeLimit = Int(words[8])
        self.committer = committer
    }
}
