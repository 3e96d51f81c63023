// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Testing

@testable import Sagas

/// What goes in and what comes of it, step by step; see `StateBench`.
struct StateRow: Sendable, CustomTestStringConvertible {
    let name: String
    let definition: String
    let course: [(String, String)]
    var deadline: Int64?
    var maxCrashes = 2

    var testDescription: String { name }
}

@Suite struct `The state of a saga` {
    @Test(arguments: forward + groups + unknown + backward + waits + verbs + limits)
    func `goes where the table says`(_ row: StateRow) {
        var bench = StateBench(row)
        for (index, (input, expected)) in row.course.enumerated() {
            let told = bench.give(input)
            #expect(told == expected, "\(row.name), \(index + 1): \(input)")
        }
    }

    static let forward = [
        StateRow(
            name: "steps that succeed", definition: "a b! c*",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b ok", "b:succeeded +c1"),
                ("c ok", "c:succeeded completed"),
            ]),
        StateRow(
            name: "a step without effect is left out of the way back", definition: "a b c!",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b no", "b:notApplied -a1"),
                ("-a ok", "a:compensated compensated b"),
            ]),
        StateRow(
            name: "a step that failed is undone too", definition: "a b",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b bad+5", "b:failed -b1"),
                ("-b ok", "b:compensated -a1"), ("-a ok", "a:compensated compensated b"),
            ]),
        StateRow(
            name: "a first step without effect leaves nothing to undo", definition: "a",
            course: [("start", "+a1"), ("a no", "a:notApplied compensated a")]),
        StateRow(
            name: "a step is called again when its wait is over, and not before", definition: "a",
            course: [
                ("start", "+a1"), ("a no+5", "waits 5"), ("t 4", "waits 1"), ("t 1", "+a2"), ("a err+5", "waits 5"),
                ("t 9", "+a3"), ("a no", "a:failed -a1"), ("-a ok", "a:compensated compensated a"),
            ]),
        StateRow(
            name: "a reading step is never undone", definition: "a? b? c",
            course: [
                ("start", "+a1"), ("a err+5", "waits 5"), ("t 5", "+a2"), ("a ok", "a:succeeded +b1"),
                ("crash", "+b2"), ("b bad+5", "b:notApplied compensated b"),
            ]),
        StateRow(
            name: "a pivot without effect goes back", definition: "a b! c*",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b no", "b:notApplied -a1"),
                ("-a ok", "a:compensated compensated b"),
            ]),
        StateRow(
            name: "a refusal under a key that is remembered speaks for earlier calls of the pivot too",
            definition: "a b!",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("crash", "+b2"),
                ("b refused+5", "b:notApplied -a1"), ("-a ok", "a:compensated compensated b"),
            ]),
        StateRow(
            name: "a pivot that is denied after a crash may have taken effect", definition: "a b!",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("crash", "+b2"), ("b no+5", "waits 5"),
                ("t 5", "+b3"), ("b no", "stuck attemptsExhausted b"),
            ]),
        StateRow(
            name: "after the pivot there is only the way forward", definition: "a! b* c?",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b no+5", "waits 5"), ("abort", "refused waits 5"),
                ("t 5", "+b2"), ("b no", "stuck attemptsExhausted b"), ("abort", "refused stuck attemptsExhausted b"),
                ("retry", "+b1"), ("b bad", "stuck attemptsExhausted b"), ("retry", "+b1"),
                ("b ok", "b:succeeded +c1"), ("c err", "stuck attemptsExhausted c"), ("skip c", "completed"),
            ]),
    ]

    static let groups = [
        StateRow(
            name: "a group is taken together and undone together", definition: "a b|c d!",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1 +c1"), ("c ok", "c:succeeded ..."),
                ("b ok", "b:succeeded +d1"), ("d no", "d:notApplied -b1 -c1"), ("-c ok", "c:compensated ..."),
                ("-b ok", "b:compensated -a1"), ("-a ok", "a:compensated compensated d"),
            ]),
        StateRow(
            name: "calls of a group are waited for before it goes back", definition: "a|b|c",
            course: [
                ("start", "+a1 +b1 +c1"), ("a no", "a:notApplied ..."), ("b err+5", "b:failed ..."),
                ("c ok", "c:succeeded -b1 -c1"), ("-b ok", "b:compensated ..."),
                ("-c ok", "c:compensated compensated a"),
            ]),
        StateRow(
            name: "waits of a group are abandoned when it goes back", definition: "a|b@|c~60|d",
            course: [
                ("start", "+a1 +d1"), ("a no+5", "..."), ("d no", "d:notApplied a:notApplied compensated d"),
            ]),
        StateRow(
            name: "what is parked keeps a group from going back", definition: "a:park|b",
            course: [
                ("start", "+a1 +b1"), ("a err", "..."), ("b no", "b:notApplied stuck outcomeUnknown a"),
                ("abort", "aborted -a1"), ("-a ok", "a:compensated compensated b"),
            ]),
    ]

    static let unknown = [
        StateRow(
            name: "after a crash a step is called again", definition: "a",
            course: [
                ("start", "+a1"), ("crash", "+a2"), ("a no", "a:failed -a1"),
                ("-a ok", "a:compensated compensated a"),
            ]),
        StateRow(
            name: "after a crash a probe is asked", definition: "a:probe b",
            course: [
                ("start", "+a1"), ("crash", "?a1"), ("?a notApplied", "+a2"), ("a err+5", "?a2"),
                ("?a notApplied+5", "waits 5"), ("t 5", "+a3"), ("a err", "?a3"), ("?a applied", "a:succeeded +b1"),
            ]),
        StateRow(
            name: "a probe that says no effect ends a step without another call", definition: "a:probe",
            course: [
                ("start", "+a1"), ("a err", "?a1"), ("?a notApplied", "a:notApplied compensated a"),
            ]),
        StateRow(
            name: "a probe that fails is asked again, and then parks", definition: "a:probe",
            course: [
                ("start", "+a1"), ("a err", "?a1"), ("?a err+5", "waits 5"), ("t 5", "?a1"),
                ("?a err", "stuck probeFailed a"), ("retry", "?a1"), ("?a unknown", "stuck outcomeUnknown a"),
                ("abort", "aborted -a1"), ("-a ok", "a:compensated compensated a"),
            ]),
        StateRow(
            name: "a step that parks is called again only when somebody says so", definition: "a:park",
            course: [
                ("start", "+a1"), ("crash", "stuck outcomeUnknown a"), ("crash", "stuck outcomeUnknown a"),
                ("retry", "+a1"), ("a ok", "a:succeeded completed"),
            ]),
        StateRow(
            name: "a step in whose calls coordinators end parks", definition: "a b:probe",
            course: [
                ("start", "+a1"), ("crash", "+a2"), ("crash", "+a3"), ("crash", "stuck crashed a"), ("retry", "+a1"),
                ("a ok", "a:succeeded +b1"), ("crash", "?b1"), ("crash", "?b1"), ("crash", "stuck crashed b"),
                ("retry", "?b1"),
            ]),
        StateRow(
            name: "a pivot in doubt is called until that is known", definition: "a b! c*",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("crash", "+b2"), ("b no+5", "waits 5"),
                ("abort", "aborted waits 5"), ("t 5", "+b3"), ("b bad", "stuck attemptsExhausted b"),
                ("retry", "+b1"), ("b ok", "b:succeeded +c1"),
            ]),
        StateRow(
            name: "a pivot in doubt that its probe denies goes back", definition: "a b!:probe",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b bad", "?b1"),
                ("?b notApplied", "b:notApplied -a1"), ("-a ok", "a:compensated compensated b"),
            ]),
        StateRow(
            name: "a call that was cut short is not counted", definition: "a b:park",
            course: [
                ("start", "+a1"), ("cut a no", "ready"), ("go", "+a1"), ("cut a", "ready"), ("crash", "+a1"),
                ("a ok", "a:succeeded +b1"), ("cut b", "ready"), ("crash", "stuck outcomeUnknown b"),
            ]),
    ]

    static let backward = [
        StateRow(
            name: "a compensation is called until it goes through", definition: "a b",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b no", "b:notApplied -a1"), ("-a err+5", "waits 5"),
                ("t 5", "-a2"), ("crash", "-a3"), ("-a err", "stuck compensationFailed a"), ("retry", "-a1"),
                ("-a ok", "a:compensated compensated b"),
            ]),
        StateRow(
            name: "a compensation that somebody has seen to is skipped", definition: "a b c",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b ok", "b:succeeded +c1"),
                ("c no", "c:notApplied -b1"), ("skip b", "refused ..."), ("-b err", "stuck compensationFailed b"),
                ("skip b", "-a1"), ("abort", "refused ..."), ("-a ok", "a:compensated compensated c"),
            ]),
    ]

    static let waits = [
        StateRow(
            name: "an event that comes", definition: "a@10 b",
            course: [("start", "waits 10"), ("t 9", "waits 1"), ("event a", "a:succeeded +b1")]),
        StateRow(
            name: "an event that came before it is waited for", definition: "a b@10 c@",
            course: [
                ("start", "+a1"), ("event b", "..."), ("a ok", "a:succeeded b:succeeded waits"),
                ("event b", "known waits"), ("event c", "c:succeeded completed"),
            ]),
        StateRow(
            name: "an event that does not come", definition: "a b@10",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded waits 10"), ("t 10", "b:notApplied -a1"), ("event b", "..."),
                ("-a ok", "a:compensated compensated b"),
            ]),
        StateRow(
            name: "an event that came in time and is read later", definition: "a@10",
            course: [("start", "waits 10"), ("t 20 event a", "a:succeeded completed")]),
        StateRow(
            name: "a timer", definition: "a~10 b",
            course: [
                ("start", "waits 10"), ("crash", "waits 10"), ("retry", "refused waits 10"), ("t 9", "waits 1"),
                ("t 1", "a:succeeded +b1"),
            ]),
        StateRow(
            name: "a timer that is skipped", definition: "a~10 b",
            course: [("start", "waits 10"), ("skip b", "refused waits 10"), ("skip a", "+b1")]),
    ]

    static let verbs = [
        StateRow(
            name: "a wait for the next call is ended by a retry", definition: "a:probe",
            course: [
                ("start", "+a1"), ("a no+50", "waits 50"), ("retry", "+a2"), ("a err", "?a2"),
                ("?a err+50", "waits 50"), ("retry", "?a2"), ("retry", "refused ..."),
            ]),
        StateRow(
            name: "a retry hurries what an earlier retry has begun anew", definition: "a:probe",
            course: [
                ("start", "+a1"), ("a err", "?a1"), ("?a unknown", "stuck outcomeUnknown a"), ("retry", "?a1"),
                ("?a err+50", "waits 50"), ("retry", "?a1"), ("?a notApplied+50", "waits 50"), ("retry", "+a1"),
            ]),
        StateRow(
            name: "nobody can mean by a retry what was not parked yet", definition: "a:park",
            course: [
                ("start", "+a1"), ("a err, blind retry", "refused stuck outcomeUnknown a"), ("retry", "+a1"),
            ]),
        StateRow(
            name: "nobody can mean by an abort a pivot that was not parked yet", definition: "a b!:park",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"),
                ("b err, blind abort", "aborted stuck outcomeUnknown b"), ("abort", "aborted -a1"),
                ("-a ok", "a:compensated compensated b"),
            ]),
        StateRow(
            name: "an abort after a retry in one breath still means the pivot", definition: "a b!:park",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b err", "stuck outcomeUnknown b"),
                ("retry, abort", "aborted -a1"),
            ]),
        StateRow(
            name: "an abort comes too late for a pivot that has just ended", definition: "a! b*",
            course: [("start", "+a1"), ("a ok, abort", "a:succeeded refused +b1")]),
        StateRow(
            name: "an abort comes too late for a pivot that is skipped", definition: "a!:park b*",
            course: [("start", "+a1"), ("a err", "stuck outcomeUnknown a"), ("skip a, abort", "refused +b1")]),
        StateRow(
            name: "a saga that is aborted before anything has begun", definition: "a~10 b",
            course: [("start", "waits 10"), ("abort", "aborted compensated a"), ("abort", "refused compensated a")]),
        StateRow(
            name: "a step that is skipped is undone all the same", definition: "a:park b",
            course: [
                ("start", "+a1"), ("a err", "stuck outcomeUnknown a"), ("skip a", "+b1"), ("b no", "b:notApplied -a1"),
            ]),
    ]

    static let limits = [
        StateRow(
            name: "the deadline goes back", definition: "a b@",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded waits 100"), ("t 99", "waits 1"), ("t 1", "-a1"),
                ("-a ok", "a:compensated compensated b"),
            ], deadline: 100),
        StateRow(
            name: "the deadline waits for calls", definition: "a|b",
            course: [
                ("start", "+a1 +b1"), ("t 100", "..."), ("a ok", "a:succeeded ..."), ("b err+5", "b:failed -a1 -b1"),
            ], deadline: 100),
        StateRow(
            name: "the deadline comes to a group in which something is parked", definition: "a:park|b~500",
            course: [
                ("start", "+a1"), ("a err", "waits 100"), ("t 100", "stuck outcomeUnknown a"),
                ("retry", "a:failed -a1"),
            ], deadline: 100),
        StateRow(
            name: "past the pivot the deadline means nothing", definition: "a! b*",
            course: [
                ("start", "+a1"), ("t 100", "..."), ("a ok", "a:succeeded +b1"), ("b err+5", "waits 5"),
                ("t 5", "+b2"), ("b ok", "b:succeeded completed"),
            ], deadline: 100),
        StateRow(
            name: "a step that has no time left is not called again after a crash", definition: "a<60 b<60",
            course: [
                ("start", "+a1"), ("t 59", "..."), ("crash", "+a2"), ("t 1", "..."), ("a ok", "a:succeeded +b1"),
                ("t 60", "..."), ("crash", "b:failed -b1"),
            ]),
        StateRow(
            name: "a retriable step that has no time left is stuck, and a retry begins anew", definition: "a! b*<60",
            course: [
                ("start", "+a1"), ("a ok", "a:succeeded +b1"), ("b err+50", "waits 50"),
                ("t 60", "stuck attemptsExhausted b"), ("retry", "+b1"), ("t 59", "..."), ("crash", "+b2"),
            ]),
    ]
}
