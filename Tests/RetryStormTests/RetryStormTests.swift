// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import retry_storm

@Suite struct VirtualTimeTests {
    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test func `sleepers wake in the order of their deadlines, those of one moment as they came`() {
        let (time, log) = (VirtualTime(), Log())
        for (name, seconds) in [("a", 3), ("b", 1), ("c", 2), ("d", 1), ("e", 3), ("f", 0)] {
            Task(executorPreference: time) {
                try await time.sleep(for: .seconds(seconds))
                log.add("\(name) at \(time.now.nanoseconds / 1_000_000_000)")
            }
        }
        time.run()
        #expect(log.all == ["f at 0", "b at 1", "d at 1", "c at 2", "a at 3", "e at 3"])
    }

    @Test func `a sleeper that is cancelled wakes at once, and its deadline moves no clock`() {
        let (time, log) = (VirtualTime(), Log())
        let sleeper = Task(executorPreference: time) {
            do { try await time.sleep(for: .seconds(9)) } catch { log.add("\(type(of: error))") }
        }
        Task(executorPreference: time) {
            try await time.sleep(for: .seconds(1))
            sleeper.cancel()
        }
        time.run()
        #expect(log.all == ["CancellationError"] && time.now.nanoseconds == 1_000_000_000)
    }

    @Test func `a moment too far away to count is the last there is`() {
        let last = VirtualTime.Instant(nanoseconds: .max)
        let now = VirtualTime.Instant(nanoseconds: 7)
        #expect(now.advanced(by: .seconds(Int64.max)) == last)
        let first = VirtualTime.Instant(nanoseconds: .min)
        #expect(VirtualTime.Instant(nanoseconds: -7).advanced(by: .seconds(Int64.min)) == first)
        #expect(last.advanced(by: .nanoseconds(1)) == last)
        #expect(now.advanced(by: .milliseconds(-1)).nanoseconds == -999_993)
        #expect(first.duration(to: last) == .nanoseconds(Int64.max))
    }
}

@Suite struct StormTests {
    private static func scenario(_ seed: UInt64 = 1) -> Scenario {
        var scenario = Scenario()
        scenario.seed = seed
        scenario.clients = 1_000
        scenario.capacity = 140
        return scenario
    }

    @Test func `a run of the same seed takes the same course, one of another seed another`() {
        let first = Storm(.breaker, Self.scenario())
        #expect(Storm(.breaker, Self.scenario()).seconds == first.seconds)
        #expect(Storm(.breaker, Self.scenario(2)).seconds != first.seconds)
    }

    @Test func `each layer does what the README says of it`() {
        let storms = Dictionary(uniqueKeysWithValues: Strategy.allCases.map { ($0, Storm($0, Self.scenario())) })
        func storm(_ strategy: Strategy) -> Storm { storms[strategy] ?? Storm(strategy, Self.scenario()) }

        for storm in storms.values {
            let refusedBefore = storm.seconds[..<30].reduce(0) { $0 + $1.refused }
            let servedInOutage = storm.seconds[30..<60].reduce(0) { $0 + $1.served }
            // Of three thousand.
            #expect(refusedBefore <= 150 && servedInOutage == 0, "\(storm.strategy)")
        }
        #expect(storm(.constant).recovery == nil)
        // Those who failed together come back together: all of them in one second of the outage.
        let most = { (strategy: Strategy, seconds: Range<Int>) in
            storm(strategy).seconds[seconds].map(\.requests).max() ?? 0
        }
        #expect(most(.exponential, 31..<60) >= 950 && most(.jitter, 37..<60) <= 400)
        // A hundred calls a second, a fifth of that, and one for each of ten processes.
        #expect(storm(.budget).loadInOutage <= 130)
        #expect(storm(.breaker).loadInOutage <= 10)
        #expect(storm(.jitter).loadInOutage > storm(.budget).loadInOutage)
    }

    @Test func `a server that has refused too much owes work`() async throws {
        var scenario = Self.scenario()
        scenario.capacity = 40
        scenario.outage = 90..<91
        let time = VirtualTime()
        let server = Server(scenario, time)
        // In the first tenth of a second four are served and 32 refused, which is the work of eight. With what is refused
        // meanwhile that takes the next two, and half of the one after.
        for tick in 0..<4 {
            for _ in 0..<(tick == 0 ? 36 : 4) {
                Task(executorPreference: time) {
                    try await time.sleep(for: .milliseconds(100 * tick))
                    try await server.request()
                }
            }
        }
        time.run()
        #expect(server.seconds == [Server.Second(served: 6, refused: 42)])
    }

    @Test func `the table and the picture show every run`() {
        let storms = [Strategy.constant, .breaker].map { Storm($0, Self.scenario()) }
        let lines = Storm.table(storms).split(separator: "\n")
        let widths = Set(lines.map(\.count))
        #expect(lines.count == 3 && widths.count == 1)
        #expect(lines[1].hasPrefix("constant delay") && lines[1].hasSuffix("never"))

        let picture = LoadChart(storms: storms).svg
        for storm in storms { #expect(picture.contains(">\(storm.strategy.rawValue): ")) }
        #expect(picture.hasPrefix("<svg ") && picture.hasSuffix("</svg>\n"))
    }
}

@Suite struct OptionsTests {
    @Test(arguments: [
        (["--storm"], "unknown argument --storm; see --help"), (["--svg"], "--svg needs a path"),
        (["--seed"], "--seed needs a number from 0 to \(Int.max)"), (["--seed", "-1"], "--seed needs a number from 0"),
        (["--clients", "999"], "--clients needs a number from 1000 to 100000"),
    ])
    func `what cannot be done is refused`(_ words: [String], _ message: String) {
        #expect { try Options(words) } throws: { "\($0)".hasPrefix(message) }
    }

    @Test func `options are taken`() throws {
        let options = try Options(["--seed", "7", "--clients", "2000", "--svg", "a.svg"])
        #expect(options.scenario.seed == 7 && options.scenario.clients == 2_000 && options.scenario.capacity == 230)
        #expect(options.picture == "a.svg" && !options.wantsHelp)
    }
}
