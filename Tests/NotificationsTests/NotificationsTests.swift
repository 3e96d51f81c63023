// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ExampleProcesses
import Foundation
import ReliabilityTesting
import Testing

@testable import notifications

@Suite struct TemplateTests {
    private static func notification(_ template: String, _ values: [String: String]) -> notifications.Notification {
        notifications.Notification(id: "n", user: "u", template: template, values: values)
    }

    @Test(arguments: [
        ("welcome", ["name": "Ada"], "Welcome, Ada!"),
        ("welcome", ["name": "{place}"], "Welcome, {place}!"),
        ("receipt", ["name": "Ada", "amount": "7 EUR"], "Ada, you have paid 7 EUR. Thank you."),
    ])
    func `values stand where the template has their names`(
        _ template: String, _ values: [String: String], _ text: String
    ) throws {
        #expect(try Template.text(for: Self.notification(template, values)) == text)
    }

    @Test(arguments: [
        ("receipt", ["name": "Ada"], "the template receipt needs a value for amount"),
        ("farewell", [:], "there is no template farewell"),
    ])
    func `what no attempt can mend is permanent`(_ template: String, _ values: [String: String], _ reason: String) {
        #expect(throws: Unrenderable(description: reason)) {
            try Template.text(for: Self.notification(template, values))
        }
    }

    @Test func `a notification comes back from its bytes`() throws {
        for notification in notifications.Notification.examples(40) {
            #expect(try notifications.Notification(notification.bytes) == notification)
        }
    }
}

@Suite struct RouteTests {
    @Test(arguments: [
        (ProviderAnswer.sent, ProviderName.first, false, Route.Step.done), (.sent, .second, true, .done),
        (.refused, .first, false, .fallBack), (.refused, .first, true, .fallBack),
        (.unreachable, .first, false, .fallBack), (.unreachable, .first, true, .tryAgain),
        (.unknown, .first, false, .tryAgain), (.unknown, .first, true, .tryAgain),
        (.refused, .second, false, .tryAgain), (.unreachable, .second, false, .tryAgain),
        (.unknown, .second, true, .tryAgain),
    ])
    func `the second is asked only if the first has surely not sent`(
        _ answer: ProviderAnswer, _ provider: ProviderName, _ mayHaveSent: Bool, _ step: Route.Step
    ) {
        #expect(Route.step(after: answer, of: provider, mayHaveSent: mayHaveSent) == step)
    }
}

@Suite struct ProviderLedgerTests {
    @Test func `what was sent is never refused, and never sent again`() {
        let messages = (0..<1_000).map { SentMessage(key: "n-\($0)", user: "u", text: "t") }
        var ledger = ProviderLedger(.init(refused: 5, lost: 7), sent: [])
        let decisions = messages.map { ledger.decide($0) }
        #expect(Set(decisions) == [.refuse, .send(isAnswerLost: true), .send(isAnswerLost: false)])
        #expect(messages.map { ledger.decide($0) } == decisions)
        for message in messages { ledger.add(message) }
        #expect(messages.allSatisfy { ledger.decide($0) == .alreadySent })
        // After a restart too, whatever it refuses now.
        let next = ProviderLedger(.init(refused: 1, lost: 1), sent: messages)
        #expect(messages.allSatisfy { next.decide($0) == .alreadySent })
    }

    @Test func `a line that was not written to its end is cut off`() throws {
        let directory = try ReliabilityTesting.TemporaryDirectory()
        let path = directory.path + "/ledger"
        let line = "{\"key\":\"a\",\"user\":\"u\",\"text\":\"t\"}\n"
        for torn in ["", "{", "{\"key\":\"b\",\"user\":\"u\",\"text\":\"t\"}"] {
            try Data((line + torn).utf8).write(to: URL(fileURLWithPath: path))
            #expect(try SentMessage.read(path).map(\.key) == ["a"])
            let file = try #require(FileHandle(forUpdatingAtPath: path))
            #expect(try SentMessage.cutOff(path, file).map(\.key) == ["a"])
            #expect(FileManager.default.contents(atPath: path) == Data(line.utf8))
        }
        #expect(try SentMessage.read(directory.path + "/missing") == [])
    }
}

/// The built program itself, with its providers and its service as processes of their own.
@Suite struct NotificationRunTests {
    @Test func `however often the service is killed, nothing is lost and nothing is sent twice`() throws {
        let program = Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("notifications")
        guard let program, FileManager.default.isExecutableFile(atPath: program.path) else {
            try Test.cancel("the program is not beside the tests")
        }
        let directory = try ReliabilityTesting.TemporaryDirectory()
        let place = Workplace(directory: directory.path + "/run")
        var tables: [String] = []
        // The second run finds everything done.
        for crashes in [6, 0] {
            let (process, output) = (Process(), Pipe())
            process.executableURL = program
            process.arguments = [place.directory, "--count", "150", "--crashes", String(crashes)]
            process.standardOutput = output
            try process.run()
            let table = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(table)")
            tables.append(table)
        }
        let lines = tables.map { $0.split(separator: "\n").filter { !$0.hasPrefix("the service was killed") } }
        #expect(lines[0] == lines[1] && lines[0].count == 7)
        #expect(tables[0].contains("the service was killed                                6"))
        let sent = try ProviderName.allCases.map { try SentMessage.read(place.ledger($0)).map(\.key) }
        let wanted = notifications.Notification.examples(150).filter { !$0.values.isEmpty }.map(\.id)
        #expect(sent.joined().sorted() == wanted.sorted() && sent.allSatisfy { !$0.isEmpty })
        #expect(!FileManager.default.fileExists(atPath: place.socket(.first)))
    }
}

@Suite struct CommandTests {
    @Test(arguments: [
        ([], "a directory is required; see --help"), (["d", "e"], "unknown argument e; see --help"),
        (["d", "--fast"], "unknown argument --fast; see --help"),
        (["d", "--count"], "--count needs a number from 0 to 1000000"),
        (["d", "--crashes", "-1"], "--crashes needs a number from 0 to 1000000"),
        (["provider", "s", "l", "x", "0"], "REFUSED needs a number from 0 to 1000000"),
    ])
    func `what cannot be done is refused`(_ words: [String], _ message: String) {
        #expect { try Command(words) } throws: { "\($0)" == message }
    }

    @Test func `commands are taken`() throws {
        var options = try Options(["d"])
        #expect(try Command(["d"]) == .run(options) && options.count == 300 && options.crashes == 0)
        (options.count, options.crashes) = (7, 2)
        #expect(try Command(["--count", "7", "d", "--crashes", "2"]) == .run(options))
        #expect(try Command(["status", "d"]) == .status(directory: "d") && (try Command(["--help"])) == .help)
    }
}
