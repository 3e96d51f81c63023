// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import tenant_limits

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite struct TableTests {
    private static func replay(_ shown: String? = nil, clients: [String]) -> (Replay, Timeline?) {
        var rules = Rules()
        rules.shown = shown
        var replay = Replay(rules)
        for client in clients { replay.take(.whole("\(client) - - [\(LogTime.text(5))] \"GET /\" 200 1".line)) }
        let timeline = replay.finish()
        return (replay, timeline)
    }

    @Test func `columns are aligned, and what has no line of its own is together`() {
        let (replay, _) = Self.replay(clients: ["b", "a", "c", "a"])
        #expect(
            "\(Table(replay, top: 2, most: nil))" == """
                client      requests  token bucket  sliding log  sliding counter  fixed window  leaky bucket
                a                  2             2            2                2             2             2
                b                  1             1            1                1             1             1
                all others         1             1            1                1             1             1
                together           4             4            4                4             4             4
                """)
    }

    @Test func `a client that is shown has its most as well`() {
        let (replay, timeline) = Self.replay("a", clients: ["b", "a", "a"])
        let lines = "\(Table(replay, top: 1, most: timeline?.most))".split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines.count == 7 && lines[4].isEmpty && lines[5].hasPrefix("a  ")
                && lines[6].hasPrefix("in any 60s at most  "))
        #expect(lines[6].hasSuffix(" 2"))
    }
}

@Suite struct TimelineChartTests {
    private final class Reader: NSObject, XMLParserDelegate {
        var elements: [String: Int] = [:]
        var open = 0
        var text = ""

        func parser(
            _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            elements[element, default: 0] += 1
            open += 1
        }

        func parser(
            _ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?
        ) {
            open -= 1
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string + "\n" }
    }

    private static func read(_ svg: String) -> Reader? {
        let (parser, reader) = (XMLParser(data: Data(svg.utf8)), Reader())
        parser.delegate = reader
        // The parser's word that it has parsed a document is not enough: it says so of one that ends too soon, too.
        return parser.parse() && parser.parserError == nil && reader.open == 0 ? reader : nil
    }

    private static func chart(_ seconds: [Int64], limit: Int = 60, period: Int64 = 60, shown: String?) -> String {
        var rules = Rules()
        (rules.limit, rules.period, rules.shown) = (limit, period, shown)
        var recorder = Recorder(period: period, wait: rules.wait, start: seconds.first ?? 0)
        for second in seconds {
            recorder.advance(to: second)
            for column in Column.allCases { recorder.count(column, at: second) }
        }
        return TimelineChart(timeline: recorder.finish(), rules: rules).svg
    }

    @Test(
        arguments: [
            [0], [1_792_889_880], [1_792_889_880, 1_792_889_881], Array(1_792_889_880..<1_792_890_180),
            [1_792_889_880, 1_792_999_880], [1_792_889_880, 1_993_000_000], [0, 253_402_300_799],
        ] as [[Int64]])
    func `a picture is well formed, whatever the time, the limit and the name`(_ seconds: [Int64]) throws {
        for (limit, period) in [(60, 60), (1, 1), (1_000_000, 3_600)] as [(Int, Int64)] {
            for shown in [nil, "203.0.113.77", "<b>&\"'\u{0}\u{1B}]]>\u{FFFE}"] {
                let reader = try #require(Self.read(Self.chart(seconds, limit: limit, period: period, shown: shown)))
                #expect(reader.elements["svg"] == 1 && reader.elements["path", default: 0] < 1_000)
                for column in Column.algorithms { #expect(reader.text.contains(column.title)) }
                #expect(shown == nil || reader.text.contains("above the limit"))
            }
        }
    }

    @Test func `all coordinates are inside of the picture`() throws {
        let svg = Self.chart(Array(1_792_889_880..<1_792_889_980), shown: "a")
        let box = try #require(svg.firstMatch(of: /viewBox="0 0 (\d+) (\d+)"/))
        let (width, height) = (try #require(Double(box.1)), try #require(Double(box.2)))
        for path in svg.matches(of: /\ d="([^"]*)"/) {
            for (expression, end) in [(/[HM]([-\d.]+)/, width), (/V([-\d.]+)/, height)] {
                for number in path.1.matches(of: expression) {
                    let value = try #require(Double(number.1))
                    #expect((0...end).contains(value))
                }
            }
        }
        for number in svg.matches(of: /\ y="([-\d.]+)"/) {
            let value = try #require(Double(number.1))
            #expect((0...height).contains(value))
        }
    }
}

@Suite struct OptionsTests {
    @Test(arguments: [
        ([], "needs a log: a path, or - for standard input; see --help"),
        (["--logs"], "unknown option --logs; see --help"),
        (["a", "b"], "there is more than one log"), (["-", "-"], "there is more than one log"),
        (["a", "--svg"], "--svg needs a value"), (["a", "--show", ""], "--show needs a value"),
        (["a", "--limit"], "--limit needs a number from 1 to 1000000"), (["a", "--limit", "0"], "--limit needs"),
        (["a", "--burst", "-1"], "--burst needs"), (["a", "--top", "x"], "--top needs a number from 1 to 1000"),
        (["a", "--clients", "1"], "--clients needs a number from 2"),
        (["a", "--key", "ip"], "--key is one of client, user, path-prefix"),
        (["a", "--per", "60"], "--per needs a time such as 90s or 5m, from 1s to 86400s"),
        (["a", "--per", "s"], "--per needs"),
        (["a", "--per", "0s"], "--per needs"), (["a", "--per", "25h"], "--per needs"), (["a", "--per"], "--per needs"),
        (["a", "--per", "9223372036854775807h"], "--per needs"), (["a", "--wait", "61m"], "--wait needs"),
        (["a", "--burst", "1000000", "--limit", "1"], "a burst of 1000000 would take over a year to come back"),
    ])
    func `what cannot be done is refused`(_ words: [String], _ message: String) {
        #expect { try Options(words) } throws: { "\($0)".hasPrefix(message) }
    }

    @Test func `options are taken`() throws {
        let words = "--limit 10 --per 2m --burst 4 --wait 0s --key user --top 3 --clients 9 --show a --svg p.svg log"
        let options = try Options(words.split(separator: " ").map(String.init))
        var rules = Rules()
        (rules.limit, rules.period, rules.burst, rules.wait) = (10, 120, 4, 0)
        (rules.key, rules.mostClients, rules.shown) = (.user, 9, "a")
        #expect(options.rules == rules && options.top == 3 && options.picture == "p.svg")
        #expect(options.task == .replay(.file("log")))
        #expect(try Options(["-"]).task == .replay(.standardInput))
        #expect(try Options(["--help"]).task == .help && Options(["--sample", "-h"]).task == .help)
        #expect(try Options(["--sample"]).task == .sample)
    }

    @Test func `every limit that is taken can be made`() throws {
        for (limit, period, burst) in [("1", "24h", "365"), ("1000000", "1s", "1000000"), ("1", "1s", "1000000")] {
            let options = try Options(["-", "--limit", limit, "--per", period, "--burst", burst, "--wait", "1h"])
            _ = Judge(options.rules, start: 0)
        }
    }
}
