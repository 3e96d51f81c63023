// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import Testing

@testable import tenant_limits

extension String {
    var line: ArraySlice<UInt8> { Array(utf8)[...] }
}

@Suite struct AccessLineTests {
    private static let time = "[10/Oct/2000:13:55:36 -0700]"

    @Test(arguments: [
        // The combined and the common format, and what servers add at the end.
        (
            #"1.2.3.4 - ada \#(time) "GET /a HTTP/1.0" 200 26 "http://x/" "A/4 (X; I)""#, "1.2.3.4", "ada",
            "GET /a HTTP/1.0"
        ),
        (#"1.2.3.4 - - \#(time) "GET /a HTTP/1.0" 304 -"#, "1.2.3.4", "-", "GET /a HTTP/1.0"),
        (#"1.2.3.4 - - \#(time) "GET /a" 200 1 "-" "-" 0.004 "up, stream" x"#, "1.2.3.4", "-", "GET /a"),
        // Quotes and backslashes that are escaped, in each of the quoted fields.
        (#"h - - \#(time) "GET /\"a\" b" 200 1 "\"" "\\""#, "h", "-", #"GET /\"a\" b"#),
        (#"h - - \#(time) "\x16\x03\x01\"" 400 226 "-" "-""#, "h", "-", #"\x16\x03\x01\""#),
        (#"h - - \#(time) "" 408 0 "-" "-""#, "h", "-", ""),
        // A user may have spaces, quotes and brackets, and so may what stands for an identity.
        (#"h - Grace H. \#(time) "-" 200 1"#, "h", "Grace H.", "-"),
        (#"h - x [y] "z" [] \#(time) "-" 200 1"#, "h", #"x [y] "z" []"#, "-"),
        (#"h unknown  \#(time) "-" 200 1"#, "h", "", "-"),
        (#"2001:db8::1 - - \#(time) "GET /] [x" 200 1 "-" "-""#, "2001:db8::1", "-", "GET /] [x"),
    ])
    func `a line is taken apart`(_ text: String, client: String, user: String, request: String) throws {
        // In the midst of other bytes, as lines are.
        let padded = [UInt8](("\n" + text + "\n").utf8)
        for line in [text.line, padded[1..<(padded.count - 1)]] {
            let parsed = try AccessLine(line)
            #expect(parsed.time == 971_211_336)
            #expect(parsed.client.elementsEqual(client.utf8) && parsed.user.elementsEqual(user.utf8))
            #expect(parsed.request.elementsEqual(request.utf8))
        }
    }

    @Test(arguments: [
        ("", AccessLine.Problem.empty), ("garbage", .noClient), (" - - \(time)", .noClient), ("h -", .noTime),
        ("h - -", .noTime), (#"h - - "GET / HTTP/1.1" 200 1"#, .noTime), ("h - - [10/Oct/2000:13:55:36", .noTime),
        ("[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] denied", .noTime), ("h - -\(time) x", .noTime),
        (#"h - - [10/Oct/2000:13:55:36 -07:0] "-" 200 1"#, .noSuchTime),
        (#"h - - [10/Oct/2000:24:00:00 -0700] "-" 200 1"#, .noSuchTime),
        // The first 26 bytes in brackets are the time, whatever a user writes behind them.
        (#"h - x [aaaaaaaaaaaaaaaaaaaaaaaaaa] \#(time) "-" 200 1"#, .noSuchTime),
        ("h - - \(time)", .noRequest), ("h - - \(time) ", .noRequest), ("h - - \(time) GET / 200 1", .noRequest),
        (#"h - - \#(time) "GET /"#, .noRequest), (#"h - - \#(time) "GET /\"#, .noRequest),
        (#"h - - \#(time) "GET /\" 200 1"#, .noRequest), (#"h - - \#(time) "GET /""#, .noStatus),
        (#"h - - \#(time) "GET /" 200"#, .noStatus), (#"h - - \#(time) "GET /" 2x0 1"#, .noStatus),
        (#"h - - \#(time) "GET /" 2000 1"#, .noStatus), (#"h - - \#(time) "GET /" 200 "#, .noSize),
        (#"h - - \#(time) "GET /" 200 -1"#, .noSize), (#"h - - \#(time) "GET /" 200 1 "#, nil),
        (#"h - - \#(time) "GET /" 200 1 "-""#, .unfinished), (#"h - - \#(time) "GET /" 200 1 "-" "-"#, .unfinished),
        (#"h - - \#(time) "GET /" 200 1 "-" "a"b""#, .unfinished), (#"h - - \#(time) "GET /" 200 1 x"#, .unfinished),
    ])
    func `what is no line of an access log is told apart`(_ text: String, _ problem: AccessLine.Problem?) {
        do throws(AccessLine.Problem) {
            _ = try AccessLine(text.line)
            #expect(problem == nil)
        } catch {
            #expect(error == problem)
            #expect(!error.description.isEmpty)
        }
    }

    @Test func `no bytes whatever make it crash`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = RandomSource.seeded(seed)
        let lines = SampleLog.text.split(separator: "\n").prefix(60).map { Array($0.utf8) }
        var good = 0
        for line in lines {
            for _ in 0..<50 {
                var bytes = line
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    let marks = Array(#" "\[]:-"#.utf8) + [0, 0x80, 0xFF, UInt8.random(in: 0...255, using: &random)]
                    bytes[place] = marks.randomElement(using: &random) ?? 0
                }
                let cut = bytes[..<Int.random(in: (bytes.count / 2)...bytes.count, using: &random)]
                for rule in KeyRule.allCases {
                    if let line = try? AccessLine(cut), let key = try? rule.key(of: line) { good += key.utf8.count }
                }
            }
        }
        #expect(good > 0, "seed \(seed)")
    }
}

@Suite struct LogTimeTests {
    @Test(arguments: [
        ("01/Jan/1970:00:00:00 +0000", 0), ("01/Jan/1970:01:00:00 +0100", 0),
        ("10/Oct/2000:13:55:36 -0700", 971_211_336),
        // The same moment in several zones, over the edge of a year.
        ("31/Dec/2024:23:59:59 +0000", 1_735_689_599), ("01/Jan/2025:00:59:59 +0100", 1_735_689_599),
        ("01/Jan/2025:05:44:59 +0545", 1_735_689_599), ("31/Dec/2024:20:29:59 -0330", 1_735_689_599),
        ("01/Jan/2025:13:59:59 +1400", 1_735_689_599), ("01/Jan/2025:00:00:00 +0000", 1_735_689_600),
        // Leap days, of a year that four, a hundred and four hundred divide, and the day after.
        ("29/Feb/2024:12:00:00 +0000", 1_709_208_000), ("01/Mar/2024:12:00:00 +0000", 1_709_294_400),
        ("29/Feb/2000:00:00:00 +0000", 951_782_400), ("28/Feb/2100:23:59:59 +0000", 4_107_542_399),
        ("01/Mar/2100:00:00:00 +0000", 4_107_542_400),
        // A leap second is the first second of the next minute.
        ("31/Dec/2016:23:59:60 +0000", 1_483_228_800), ("31/Dec/9999:23:59:59 +0000", 253_402_300_799),
    ])
    func `a time is a moment`(_ text: String, _ seconds: Int64) { #expect(LogTime.seconds(of: text.line) == seconds) }

    @Test(arguments: [
        "", "10/Oct/2000:13:55:36 -070", "10/Oct/2000:13:55:36 -07000", "10/oct/2000:13:55:36 -0700",
        "10/Okt/2000:13:55:36 -0700", "00/Oct/2000:13:55:36 -0700", "32/Oct/2000:13:55:36 -0700",
        "31/Nov/2000:13:55:36 -0700", "29/Feb/2023:13:55:36 -0700", "29/Feb/2100:13:55:36 -0700",
        "30/Feb/2024:13:55:36 -0700", "10/Oct/2000:24:00:00 -0700", "10/Oct/2000:13:60:36 -0700",
        "10/Oct/2000:13:55:61 -0700", "10/Oct/2000:13:55:36 -1500", "10/Oct/2000:13:55:36 -0760",
        "10/Oct/2000:13:55:36 00700", "10/Oct/2000 13:55:36 -0700", "10-Oct-2000:13:55:36 -0700",
        " 1/Oct/2000:13:55:36 -0700", "1a/Oct/2000:13:55:36 -0700", "10/Oct/0000:13:55:36 -0700",
        "31/Dec/1969:23:59:59 +0000", "01/Jan/1970:00:00:00 +0100",
    ])
    func `what is no time is refused`(_ text: String) { #expect(LogTime.seconds(of: text.line) == nil) }

    @Test func `what is written is read again, for every day of four hundred years`() {
        for day in 0..<Int64(146_097) {
            let (second, zone) = (day * 86_400 + day % 86_400, Int(day % 29) - 14)
            guard second + Int64(zone) * 3_600 >= 0 else { continue }
            #expect(LogTime.seconds(of: LogTime.text(second, zone: zone).line) == second)
        }
    }
}
