// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Testing

@testable import reliability_trials

@Suite struct EventTests {
    private static let a = RecordID("left", "a@1")
    private static let b = RecordID("inbox", "b/2#3")
    private static let events: [Event] = [
        .opened(lastEnd: "interrupted"), .opened(lastEnd: "\(OpeningReport.LastEnd.torn(droppedBytes: 352))"),
        .whole, .closed, .powerCut, .compacted,
        .told(ReportedError(kind: .compactionFailed, subject: "/a", text: "write of /a")),
        .stands(Standing(id: a, version: Version(fence: Fence(rawValue: 7), number: 8), changedUnder: nil)),
        .stands(
            Standing(id: b, version: Version(fence: Fence(rawValue: 7), number: 8), changedUnder: Fence(rawValue: 6))),
        .attempt(
            .max,
            [.insert(a), .replace(b, expecting: Fence(rawValue: 1)), .delete(a, expecting: Fence(rawValue: .max))]),
        .attempt(1, []), .committed(1, []), .committed(2, [Fence(rawValue: 3), Fence(rawValue: 4)]),
        .conflict(3, Sighting(id: a, version: nil)), .asking(4), .answered(4, []),
        .answered(
            5, [Sighting(id: a, version: nil), Sighting(id: b, version: Version(fence: Fence(rawValue: 9), number: 0))]),
        .claiming(6), .claimed(6, [Sighting(id: b, version: Version(fence: Fence(rawValue: 9), number: 10))]),
        .failed(7, ReportedError(kind: .outcomeUnknown, subject: "/a/b", text: "sync of /a/b: no  room")),
        .failed(8, ReportedError(kind: .closed)),
        .notOpened(ReportedError(kind: .inUse, pid: 12, subject: "/a", text: "in use")),
        .notClosed(ReportedError(kind: .unavailable, text: "of no file")),
    ]

    @Test(arguments: events)
    func `an event comes back from its line`(_ event: Event) {
        #expect(Event(event.line) == event)
        #expect(!event.line.contains("\n"))
    }

    @Test(arguments: [
        "", "whol", "whole 1", "opened", "stands left/a@1#2", "stands left/a@- -", "attempt x", "attempt 1 *left/a",
        "attempt 1 =left/a", "attempt 1 +left", "committed 1 x", "conflict 1", "conflict 1 left/a@- left/b@-", "asking",
        "asking 1 2", "answered 1 left/a", "answered 1 left/a@1", "failed 1 broken - - text", "not-opened inUse",
        "claimed -1",
    ])
    func `a line that was cut or is none gives no event`(_ line: String) {
        #expect(Event(line) == nil)
    }

    @Test func `a body tells its number, and shows when a byte of it has changed`() {
        for number in [UInt64(1), 16, 17, 1 << 40] {
            let body = Payload.body(of: number)
            #expect(Payload.number(of: body) == number)
            #expect(Payload.number(of: Payload.body(of: number, atLeast: 20_000)) == number)
            for index in [0, 7, 8, body.count / 2, body.count - 1] where index < body.count {
                var changed = body
                changed[index] ^= 1
                #expect(Payload.number(of: changed) == nil, "byte \(index) of \(number)")
            }
        }
        #expect(Payload.number(of: []) == nil)
    }
}
