// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import tenant_limits

@Suite struct ReplayTests {
    private static func replay(_ log: some Sequence<String>, _ rules: Rules = Rules()) -> (Replay, Timeline?) {
        var replay = Replay(rules)
        for line in log { replay.take(.whole(line.line)) }
        let timeline = replay.finish()
        return (replay, timeline)
    }

    private static let sample = SampleLog.text.split(separator: "\n", omittingEmptySubsequences: false)
        .dropLast().map(String.init)

    private static func line(_ client: String, _ second: Int64, request: String = "GET /a HTTP/1.1") -> String {
        "\(client) - - [\(LogTime.text(second))] \"\(request)\" 200 1 \"-\" \"-\""
    }

    @Test func `the sample shows what each algorithm does`() {
        var rules = Rules()
        rules.shown = SampleLog.edgeClient
        let (replay, timeline) = Self.replay(Self.sample, rules)
        func counts(_ key: String) -> [Int] { Column.allCases.map { replay.ledger.counts(of: key)?[$0] ?? -1 } }

        // The steady one passes everywhere, in both forms of its address, and so do the people.
        #expect(counts("198.51.100.20") == Array(repeating: 150, count: 6))
        #expect(Set(counts("198.51.100.33")).count == 1)
        // The one who never stops gets a minute's limit in a minute, and the addresses of a network are one client.
        for key in ["192.0.2.150", "2001:db8:77:1::/64"] {
            #expect(counts(key).dropFirst() == [359, 300, 296, 300, 310])
        }
        // The one at the edges gets all from the fixed window, and twice the limit in ten seconds.
        #expect(counts(SampleLog.edgeClient) == [240, 168, 120, 157, 240, 50])
        #expect(Column.allCases.map { timeline?.most[$0] ?? -1 } == [120, 99, 60, 93, 120, 30])

        #expect(replay.lines == 2_570 && replay.total[.requests] == 2_564)
        #expect(replay.malformed == Replay.LeftOut(count: 5, first: 278) && replay.problem == .noTime)
        #expect(replay.misplaced.count == 1 && replay.overflows == 0)
    }

    @Test func `the order of lines within the slack makes no difference`() {
        // By their times, and then with every ten lines the other way round.
        let lines = Self.sample.compactMap { text in (try? AccessLine(text.line)).map { ($0.time, text) } }
        let sorted = lines.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
            .map(\.element.1)
        let turned = stride(from: 0, to: sorted.count, by: 10)
            .flatMap { sorted[$0..<min($0 + 10, sorted.count)].reversed() }
        let first = Self.replay(sorted)
        let second = Self.replay(turned)
        #expect(first.0.misplaced.count == 0 && second.0.misplaced.count == 0)
        #expect(first.0.ledger.rows == second.0.ledger.rows && first.1 == second.1)
    }

    @Test func `what is left out is counted and told, and the rest is judged`() {
        let late = Self.line("a", 50)
        var replay = Replay(Rules())
        for line in ["x", Self.line("a", 100), "", Self.line("a", 200), Self.line("a", 201), late] {
            replay.take(.whole(line.line))
        }
        replay.take(.tooLong)
        replay.take(.whole(Self.line("a", 4_000_000_000).line))
        #expect(replay.finish() != nil && replay.total[.requests] == 3 && replay.lines == 8)
        #expect(
            replay.notes == [
                "3 lines of 8 not understood and left out; the first is line 1: it does not begin with a client and a space",
                "2 lines of 8 out of order by more than 10s and left out; the first is line 6",
            ])

        let nothing = Self.replay(["", "x"])
        #expect(nothing.1 == nil && nothing.0.malformed.count == 2)
        #expect(Self.replay([]).0.notes.isEmpty)
    }

    @Test func `strangers without end cost bounded memory, and whoever is there stays limited`() {
        var rules = Rules()
        (rules.limit, rules.mostClients) = (5, 100)
        let log = (0..<5_000).map { number in
            Self.line(number % 10 == 0 ? "known" : "s\(number)", 1_000_000 + Int64(number / 100))
        }
        let (replay, _) = Self.replay(log, rules)
        #expect(replay.ledger.rows.count <= 100 && replay.total[.requests] == 5_000 && replay.overflows > 0)
        #expect(replay.ledger.rows.first?.key == "known")
        #expect(replay.ledger.counts(of: "known")?[.requests] == 500)
        // Ten a second for 50 seconds, in two windows.
        #expect((1...10).contains(replay.ledger.counts(of: "known")?[.fixedWindow] ?? 0))
        #expect(replay.notes.last?.hasSuffix("give it more with --clients") == true)
    }

    @Test func `keys are users or parts of paths as well`() {
        var rules = Rules()
        rules.key = .user
        #expect(Self.replay(Self.sample, rules).0.ledger.rows.map(\.key) == ["-", "globex", "Grace H.", "ada", "acme"])
        rules.key = .pathPrefix
        #expect(Self.replay(Self.sample, rules).0.ledger.rows.prefix(3).map(\.key) == ["/api", "/products", "/assets"])
    }

    @Test func `a log may begin with 1970 and be silent for years`() {
        let (replay, timeline) = Self.replay([0, 0, 1, 2_000_000_000, 2_000_000_000].map { Self.line("a", $0) })
        #expect(replay.total[.requests] == 5 && replay.misplaced.count == 0)
        #expect(timeline.map { $0.buckets.count <= Timeline.mostBuckets } == true)
    }
}
