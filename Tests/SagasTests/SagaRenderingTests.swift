// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Synchronization
import Testing

@testable import Sagas

@Suite struct `A definition's diagram` {
    private let ledger = Ledger()

    @Test func `shows stages, groups, the pivot and the way back`() {
        let trip = SagaDefinition<Order>("trip", version: 2, deadline: .seconds(600)) {
            Step.reading("prices") { _ in }
            step("flight", ledger)
            SagaParallel {
                step("hotel", ledger)
                Step.event("approval", within: .seconds(60))
            }
            Step.timer("cool-off", .seconds(10))
            Step.pivot("pay", ifUnknown: .reexecute) { _ in }
            Step.retriable("confirm", ifUnknown: .reexecute) { _ in }
            Step.event("checked-in")
        }
        #expect(
            trip.mermaid == """
                flowchart TD
                    start(["trip v2, deadline 600.0 seconds"])
                    s0[/"prices"/]
                    s1["flight"]
                    subgraph g2["together"]
                        s2["hotel"]
                        s3>"approval, within 60.0 seconds"]
                    end
                    s4(("cool-off, 10.0 seconds"))
                    s5{{"pay"}}
                    s6[["confirm"]]
                    s7>"checked-in"]
                    completed(["completed"])
                    u1["undo flight"]
                    u2["undo hotel"]
                    compensated(["compensated"])
                    start --> s0
                    s0 --> s1
                    s1 --> s2 & s3
                    s2 & s3 --> s4
                    s4 --> s5
                    s5 --> s6
                    s6 --> s7
                    s7 --> completed
                    s0 -. fails .-> compensated
                    s1 -. fails .-> u1
                    s2 -. fails .-> u2
                    s3 -. is late .-> u2
                    s5 -. fails .-> u2
                    u2 -.-> u1
                    u1 -.-> compensated

                """)
    }

    @Test func `has no way back where nothing leads there`() {
        let reminder = SagaDefinition<Order>("reminder", version: 1) { Step.timer("wait", .seconds(1)) }
        #expect(
            reminder.mermaid == """
                flowchart TD
                    start(["reminder v1"])
                    s0(("wait, 1.0 seconds"))
                    completed(["completed"])
                    start --> s0
                    s0 --> completed

                """)
    }

    @Test(arguments: [
        ("reserve-stock_2.1", "reserve-stock_2.1"), ("-a-", "#45;a#45;"), ("1. x", "1#46; x"),
        ("\"]; end", "#34;#93;#59; end"), ("a\nb`*#&<>", "a#10;b#96;#42;#35;#38;#60;#62;"), ("_a_", "#95;a#95;"),
        ("Überweisung", "Überweisung"), ("a\u{202E}b\u{2028}", "a#8238;b#8232;"),
        ("()[]{}", "#40;#41;#91;#93;#123;#125;"),
    ])
    func `escapes what could mean something in a name`(_ name: String, _ text: String) {
        #expect(SagaDiagram.escaped(name) == text)
    }

    @Test func `escapes the names of definitions and steps`() {
        let odd = SagaDefinition<Order>("a\"b", version: 1) { step("x\"]y", ledger) }
        #expect(odd.mermaid.contains("start([\"a#34;b v1\"])"))
        #expect(odd.mermaid.contains("s0[\"x#34;#93;y\"]") && odd.mermaid.contains("u0[\"undo x#34;#93;y\"]"))
    }
}

@Suite struct `A saga's timeline` {
    /// Without the first line, which names the definition and the saga.
    private func lines(_ coordinator: SagaCoordinator, _ id: String = "s1") async throws -> [String] {
        let text = try #require(try await coordinator.timeline(id))
        let same = try await coordinator.saga(id).timeline()
        #expect(text.hasSuffix("\n") && text == same)
        return text.split(separator: "\n").dropFirst().map(String.init)
    }

    @Test func `has a line for each entry, and the end`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let calls = Counter()
        let definition = bench.definition(
            a: { _ in bench.clock.advance(by: .milliseconds(1_250)) },
            b: step(
                "hotel", bench.ledger,
                after: { _ in
                    bench.clock.advance(by: .seconds(61))
                    throw Text(description: "too\nslow")
                },
                undoing: { _ in if calls.increment() < 3 { throw Full() } }
            ).retryCompensation(.unlimited(backoff: .constant(.seconds(3_600)))))
        let coordinator = bench.coordinator(definition)
        #expect(try await bench.drive(definition, on: coordinator) == .waiting(.seconds(3_600)))
        #expect(
            try await coordinator.timeline("s1")?.split(separator: "\n").first
                == "\(definition.shape.description), saga s1")
        #expect(
            try await lines(coordinator) == [
                "+0:00:00.000  started",
                "+0:00:01.250  a      done",
                "+0:01:02.250  hotel  given up after 1 call, perhaps applied: SagasTests.Text: too slow",
                "+0:01:02.250  hotel  is called again in 1:00:00.000, after 1 call; last SagasTests.Full: Full()",
                "+0:01:02.250  compensating, back because of hotel: SagasTests.Text: too slow, taken up in 1:00:00.000",
            ])
        for _ in 0..<2 {
            bench.clock.advance(by: .seconds(3_600))
            _ = try await coordinator.recover()
        }
        bench.clock.advance(by: .seconds(5))
        #expect(
            try await lines(coordinator) == [
                "+0:00:00.000  started",
                "+0:00:01.250  a      done",
                "+0:01:02.250  hotel  given up after 1 call, perhaps applied: SagasTests.Text: too slow",
                "+2:01:02.250  hotel  undone in 3 calls",
                "+2:01:02.250  a      undone",
                "+2:01:02.250  compensated because of hotel: SagasTests.Text: too slow",
            ])
    }

    @Test func `shows what people did, events, and what is stuck`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let approval = Step.event("approval")
        let definition = SagaDefinition<Order>("order", version: 1) {
            step("a", bench.ledger, ifUnknown: .park, after: { _ in throw Declined() })
            approval
            step("c", bench.ledger, before: { _ in throw Full() })
        }
        let coordinator = bench.coordinator(definition)
        _ = try await bench.drive(definition, on: coordinator)
        #expect(
            try await lines(coordinator).dropFirst() == [
                "+0:00:00.000  a  cannot go on: outcomeUnknown, after 1 call; last SagasTests.Declined: Declined()",
                "+0:00:00.000  stuck, waits for somebody",
            ])
        try await coordinator.skip("a", of: "s1", reason: "called\tthem")
        _ = try await coordinator.recover()
        #expect(
            try await lines(coordinator).dropFirst() == [
                "+0:00:00.000  a         skipped by hand: called them",
                "+0:00:00.000  approval  waits for the event",
                "+0:00:00.000  running, waits for somebody",
            ])
        try await coordinator.signal("s1", approval)
        #expect(try await lines(coordinator).last == "+0:00:00.000  running, taken up by the next coordinator")
        _ = try await coordinator.recover()
        #expect(
            try await lines(coordinator).dropFirst() == [
                "+0:00:00.000  a         skipped by hand: called them",
                "+0:00:00.000  approval  came",
                "+0:00:00.000  approval  done",
                "+0:00:00.000  c         given up after 1 call, not applied: SagasTests.Full: Full()",
                "+0:00:00.000  a         undone",
                "+0:00:00.000  compensated because of c: SagasTests.Full: Full()",
            ])
    }

    @Test func `shows calls that are under way, waits and probes`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let during = Locked([String]())
        let coordinators = Locked([SagaCoordinator]())
        let definition = SagaDefinition<Order>("order", version: 1) {
            step(
                "a", bench.ledger, ifUnknown: .probe { _ in throw Declined() },
                after: { _ in
                    let text = try await coordinators.withLock { $0[0] }.timeline("s1")
                    during.withLock { $0 = (text ?? "").split(separator: "\n").map(String.init) }
                    throw Declined()
                }
            ).retryCompensation(.attempts(2, backoff: .constant(.seconds(2))))
        }
        let coordinator = bench.coordinator(definition)
        coordinators.withLock { $0 = [coordinator] }
        #expect(try await bench.drive(definition, on: coordinator) == .waiting(.seconds(2)))
        #expect(
            during.withLock { $0.dropFirst(2) } == [
                "+0:00:00.000  a  its action is being called, call 1", "+0:00:00.000  running, driven now",
            ])
        #expect(
            try await lines(coordinator)[1]
                == "+0:00:00.000  a  its probe is asked again in 0:00:02.000, after 1 call; last SagasTests.Declined: Declined()"
        )
        bench.clock.advance(by: .seconds(2))
        _ = try await coordinator.recover()
        #expect(
            try await lines(coordinator)[1]
                == "+0:00:02.000  a  cannot go on: probeFailed, after 1 call; last SagasTests.Declined: Declined()")
        let timer = SagaDefinition<Order>("timer", version: 1) { Step.timer("wait", .seconds(90)) }
        let waiting = bench.coordinator(timer, name: "timers")
        _ = try await bench.drive(timer, on: waiting)
        #expect(try await lines(waiting)[1] == "+0:00:00.000  wait  waits for another 0:01:30.000")
    }

    @Test func `says what is blocked, and that there is no such saga`() async throws {
        let bench = try Bench(StoreKind.all[0])
        let definition = bench.definition()
        try await bench.coordinator(definition).start(definition, id: "s1", input: Order())
        let other = bench.coordinator()
        _ = try await other.recover()
        #expect(
            try await lines(other).last
                == "+0:00:00.000  blocked: its definition is not known, taken up in 0:01:00.000")
        #expect(try await other.timeline("s2") == nil)
        await #expect(throws: SagaNotFound(sagaID: "s2")) { try await other.saga("s2").timeline() }
    }

    @Test(arguments: [
        (Duration.zero, "0:00:00.000"), (.seconds(-5), "0:00:00.000"), (.nanoseconds(999_999), "0:00:00.000"),
        (.milliseconds(59_999), "0:00:59.999"), (.seconds(3_600), "1:00:00.000"),
        (.seconds(100 * 86_400 + 61), "2400:01:01.000"),
    ])
    func `counts in hours, minutes and seconds`(_ duration: Duration, _ text: String) {
        #expect(SagaText.time(duration) == text)
    }
}

struct Text: Error, CustomStringConvertible { let description: String }
