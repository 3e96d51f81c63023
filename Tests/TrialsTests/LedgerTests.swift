// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Testing

@testable import reliability_trials

@Suite struct LedgerTests {
    /// A story, a line for each event, and what is wrong with it.
    struct Story: CustomTestStringConvertible, Sendable {
        let name: String
        let lines: [String]
        var violation: Violation?

        var testDescription: String { name }

        init(_ name: String, _ lines: String..., violation: Violation? = nil) {
            self.name = name
            self.lines = lines
            self.violation = violation
        }
    }

    private static func judge(_ lines: [String]) throws -> Violation? {
        var ledger = Ledger()
        for (index, line) in lines.enumerated() {
            do {
                try ledger.take(try #require(Event(line), "\(line)"))
            } catch let violation as Violation {
                // The story ends where it goes wrong.
                #expect(index == lines.count - 1, "\(violation) at \(line)")
                return violation
            }
        }
        return nil
    }

    @Test(arguments: sound)
    func `a store that keeps its promises is not blamed`(_ story: Story) throws {
        #expect(try Self.judge(story.lines) == nil)
    }

    @Test(arguments: planted)
    func `a broken promise is found, where it shows`(_ story: Story) throws {
        #expect(try Self.judge(story.lines) == story.violation)
    }

    @Test func `it counts what was acknowledged, and gives numbers that nothing had`() throws {
        var ledger = Ledger()
        for line in [
            "attempt 4 +inbox/a", "committed 4 10", "claiming 9", "claimed 9", "opened x", "stands inbox/a@10#4 -",
        ] {
            try ledger.take(try #require(Event(line)))
        }
        #expect(ledger.acknowledged == 1 && ledger.nextNumber == 10 && ledger.judged == 0)
        try ledger.take(.whole)
        #expect(ledger.judged == 1)
    }
}

private let a = RecordID("inbox", "a")
private let b = RecordID("outbox", "a")
private let left = RecordID("left", "p")
private let right = RecordID("right", "p")
private func fence(_ value: UInt64) -> Fence { Fence(rawValue: value) }
private func version(_ value: UInt64, _ number: UInt64) -> Version { Version(fence: fence(value), number: number) }

private let sound: [LedgerTests.Story] = [
    .init(
        "an acknowledged insert stands", "attempt 1 +inbox/a", "committed 1 10", "opened x", "stands inbox/a@10#1 -",
        "whole"),
    .init("an attempt without an answer is in", "attempt 1 +inbox/a", "opened x", "stands inbox/a@10#1 -", "whole"),
    .init("an attempt without an answer is not in", "attempt 1 +inbox/a", "opened x", "whole"),
    .init(
        "a later attempt stands in place of an acknowledged one", "attempt 1 +inbox/a", "committed 1 10",
        "attempt 2 =inbox/a@10", "opened x", "stands inbox/a@12#2 10", "whole"),
    .init(
        "a claim without an answer has given a fence", "attempt 1 +inbox/a", "committed 1 10", "claiming 2", "opened x",
        "stands inbox/a@11#1 -", "whole"),
    .init(
        "a delete without an answer is in", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 -inbox/a@10", "opened x",
        "whole", "opened x", "whole"),
    .init(
        "a deleted record is inserted anew", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 -inbox/a@10",
        "committed 2", "attempt 3 +inbox/a", "opened x", "stands inbox/a@11#3 -", "whole"),
    .init(
        "others see a batch before its caller does", "attempt 1 +left/p +right/p", "asking 2",
        "answered 2 left/p@10#1 right/p@11#1", "committed 1 10 11", "opened x", "stands left/p@10#1 -",
        "stands right/p@11#1 -", "whole"),
    .init(
        "an answer is older than what became known meanwhile", "attempt 1 +inbox/a", "committed 1 10", "asking 2",
        "attempt 3 =inbox/a@10", "committed 3 11", "answered 2 inbox/a@10#1"),
    .init(
        "a move without an answer, either way", "attempt 1 +inbox/a", "committed 1 10",
        "attempt 2 -inbox/a@10 +outbox/a", "opened x", "stands outbox/a@11#2 -", "whole",
        "attempt 3 -outbox/a@11 +inbox/a", "opened x", "stands outbox/a@11#2 -", "whole"),
    .init(
        "what is told after the cut proves nothing", "attempt 1 +inbox/a", "committed 1 10", "power-cut",
        "attempt 2 -inbox/a@10 +outbox/a", "committed 2 11", "attempt 3 -outbox/a@11 +inbox/a", "committed 3 12",
        "opened x", "stands inbox/a@12#3 -", "whole"),
    .init(
        "nor is it missed", "attempt 1 +inbox/a", "committed 1 10", "power-cut", "attempt 2 -inbox/a@10 +outbox/a",
        "committed 2 11", "opened x", "stands inbox/a@10#1 -", "whole"),
    .init(
        "two deletes of one record, one of them in", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 -inbox/a@10",
        "attempt 3 -inbox/a@10 +outbox/a", "opened x", "whole"),
    .init(
        "a store that has failed and was opened again answers", "attempt 1 +inbox/a",
        "failed 1 outcomeUnknown - file text", "opened x", "whole", "asking 2", "answered 2 inbox/a@-"),
]

private let planted: [LedgerTests.Story] = [
    .init(
        "a lost acknowledged write", "attempt 1 +inbox/a", "committed 1 10", "opened x", "whole",
        violation: .lost(a, acknowledged: version(10, 1), found: nil)),
    .init(
        "a lost acknowledged replace", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 =inbox/a@10",
        "committed 2 11",
        "opened x", "stands inbox/a@10#1 -", "whole",
        violation: .lost(a, acknowledged: version(11, 2), found: version(10, 1))),
    .init(
        "a lost claim", "attempt 1 +inbox/a", "committed 1 10", "claiming 2", "claimed 2 inbox/a@11#1", "opened x",
        "stands inbox/a@10#1 -", "whole", violation: .lost(a, acknowledged: version(11, 1), found: version(10, 1))),
    .init(
        "an insert over a record that stands", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 +inbox/a",
        "committed 2 11", violation: .lost(a, acknowledged: version(10, 1), found: nil)),
    .init(
        "a record that is lost two lives later", "attempt 1 +inbox/a", "committed 1 10", "opened x",
        "stands inbox/a@10#1 -", "whole", "opened x", "whole",
        violation: .lost(a, acknowledged: version(10, 1), found: nil)),
    .init(
        "half a batch", "attempt 1 +inbox/a +outbox/a", "opened x", "stands inbox/a@10#1 -", "whole",
        violation: .halfBatch(1, done: [a], missing: [b])),
    .init(
        "half a move, the record twice", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 -inbox/a@10 +outbox/a",
        "opened x", "stands inbox/a@10#1 -", "stands outbox/a@11#2 -", "whole",
        violation: .halfBatch(2, done: [b], missing: [a])),
    .init(
        "half a move, the record nowhere", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 -inbox/a@10 +outbox/a",
        "opened x", "whole", violation: .halfBatch(2, done: [a], missing: [b])),
    .init(
        "half a batch in an answer", "attempt 1 +left/p +right/p", "asking 2", "answered 2 left/p@10#1 right/p@-",
        violation: .unequalTwins(
            Sighting(id: left, version: version(10, 1)), Sighting(id: right, version: nil))),
    .init(
        "a reused fence", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 +outbox/a", "committed 2 10",
        violation: .reusedFence(fence(10), b, earlier: a)),
    .init(
        "a fence that an earlier life gave", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 -inbox/a@10",
        "committed 2", "opened x", "whole", "attempt 3 +outbox/a", "committed 3 10",
        violation: .reusedFence(fence(10), b, earlier: a)),
    .init(
        "a fence that did not grow", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 =inbox/a@10", "committed 2 9",
        violation: .fenceDidNotGrow(a, fence(9), after: fence(10))),
    .init(
        "a change under a stale fence", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 =inbox/a@10",
        "committed 2 11", "attempt 3 -inbox/a@10", "committed 3",
        violation: .staleAccepted(a, expecting: fence(10), standing: fence(11))),
    .init(
        "a resurrected delete", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 -inbox/a@10", "committed 2",
        "opened x", "stands inbox/a@10#1 -", "whole",
        violation: .resurrected(a, deletedThrough: fence(10), found: version(10, 1))),
    .init(
        "a delete that was shown and is undone", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 -inbox/a@10",
        "asking 3", "answered 3 inbox/a@-", "opened x", "stands inbox/a@10#1 -", "whole",
        violation: .resurrected(a, deletedThrough: fence(10), found: version(10, 1))),
    .init(
        "an answer taken back", "attempt 1 +inbox/a", "asking 2", "answered 2 inbox/a@10#1", "opened x", "whole",
        violation: .takenBack(a, shown: version(10, 1), found: nil)),
    .init(
        "an answer of an earlier state", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 =inbox/a@10",
        "committed 2 11", "asking 3", "answered 3 inbox/a@10#1",
        violation: .lost(a, acknowledged: version(11, 2), found: version(10, 1))),
    .init(
        "a content from nowhere", "opened x", "stands inbox/a@10#7 -", "whole",
        violation: .neverWritten(a, version(10, 7))),
    .init(
        "a batch that was refused and stands", "attempt 1 +inbox/a", "failed 1 unavailable - file text", "opened x",
        "stands inbox/a@10#1 -", "whole", violation: .neverWritten(a, version(10, 1))),
    .init(
        "a content that was in an earlier life and was not carried over", "attempt 1 +inbox/a", "opened x", "whole",
        "opened x", "stands inbox/a@10#1 -", "whole", violation: .neverWritten(a, version(10, 1))),
    .init(
        "a fence that nothing can have given", "attempt 1 +inbox/a", "committed 1 10", "opened x",
        "stands inbox/a@11#1 -", "whole", violation: .neverWritten(a, version(11, 1))),
    .init(
        "the same version with another content", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 =inbox/a@10",
        "opened x", "stands inbox/a@10#2 10", "whole", violation: .otherContent(a, version(10, 2), before: 1)),
    .init(
        "a replace that does not name its fence", "attempt 1 +inbox/a", "committed 1 10", "attempt 2 =inbox/a@10",
        "opened x", "stands inbox/a@11#2 9", "whole", violation: .wrongChangedUnder(a, version(11, 2), named: fence(9))),
    .init(
        "an answer after the failure", "attempt 1 +inbox/a", "failed 1 outcomeUnknown - file text", "asking 2",
        "answered 2 inbox/a@-", violation: .answeredAfterFailure(2)),
    .init(
        "lost although it was told before the cut", "attempt 1 +inbox/a", "committed 1 10", "power-cut", "opened x",
        "whole", violation: .lost(a, acknowledged: version(10, 1), found: nil)),
    .init(
        "an answer to nothing", "committed 1 10",
        violation: .senseless("operation 1 is answered without having been begun")),
]
