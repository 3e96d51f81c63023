// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RateLimiting

/// Makes the log that comes with the example: five minutes in which the clocks go back, the same on every machine.
///
/// A line has the time at which its request came and stands where the request ended, as Apache writes them, so the log
/// is not in order. Until one o'clock UTC the server is two hours ahead, and from then on one hour; a second server
/// writes UTC.
struct SampleLog {
    /// 25 October 2026, 00:58 in UTC.
    static let start: Int64 = 1_792_889_880
    static let seconds = 300
    /// The client that asks at the edges of windows.
    static let edgeClient = "203.0.113.77"

    private struct Line {
        /// Milliseconds after the start.
        let end: Int
        let text: String
    }

    /// What the requests of a client have in common.
    private struct Client {
        var address: String
        var user = "-"
        var agent: String
        var paths: [String]
        var isUTC = false
    }

    private let random = RandomSource.seeded(2_026)
    private var lines: [Line] = []

    /// The log.
    static var text: String {
        var log = SampleLog()
        log.addSteady()
        log.addEdge()
        log.addScraper()
        log.addCrawler()
        log.addNetwork()
        log.addPeople()
        log.addTenants()
        log.addWhatIsNoRequest()
        let order = log.lines.indices.sorted { (log.lines[$0].end, $0) < (log.lines[$1].end, $1) }
        return order.map { log.lines[$0].text + "\n" }.joined()
    }

    /// A monitor that asks every two seconds. Its requests come over both protocols, so half of them have its IPv4
    /// address in IPv6 form.
    private mutating func addSteady() {
        var client = Client(address: "198.51.100.20", agent: "uptime/3.2", paths: ["/health"])
        for number in 0..<150 {
            client.address = number % 2 == 0 ? "198.51.100.20" : "::ffff:198.51.100.20"
            add(client, at: number * 2_000 + draw(400))
        }
    }

    /// Somebody who knows that a limit is 60 in a minute, and where minutes end. First 60 at the end of a minute and 60
    /// at the beginning of the next, then 60 at the end of one and 60 in the midst of the next.
    private mutating func addEdge() {
        let client = Client(
            address: Self.edgeClient, agent: "Mozilla/5.0 (X11; Linux x86_64) \\\"batch\\\"",
            paths: ["/api/v1/prices?page=1", "/api/v1/prices?page=2", "/api/v1/stock"])
        for begin in [55, 60, 175, 210] {
            for number in 0..<60 { add(client, at: begin * 1_000 + number * 1_000 / 12) }
        }
    }

    /// Three a second, all the time, whatever the answer is.
    private mutating func addScraper() {
        let client = Client(
            address: "192.0.2.150", agent: "python-requests/2.32.3",
            paths: (1...40).map { "/products/\(1_000 + $0 * 7)" })
        for number in 0..<Self.seconds * 3 {
            add(client, at: number * 1_000 / 3 + draw(200), status: number >= 60 && draw(5) > 0 ? 429 : 200)
        }
    }

    /// A crawler that asks twice a second until it is refused, and then leaves the server alone for a while.
    private mutating func addCrawler() {
        let client = Client(
            address: "198.51.100.60", agent: "Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)",
            paths: (1...30).map { "/articles/\($0)" })
        for (begin, count) in [(4, 70), (70, 66), (165, 64)] {
            for number in 0..<count {
                add(client, at: begin * 1_000 + number * 500 + draw(300), status: number > count - 4 ? 429 : 200)
            }
        }
    }

    /// One customer with many addresses, and a household with one.
    private mutating func addNetwork() {
        var client = Client(
            address: "", agent: "curl/8.9.1", paths: ["/api/v1/search?q=teapot", "/api/v1/search?q=kettle"])
        for number in 0..<400 {
            let host = (0..<4).map { _ in String(draw(65_536), radix: 16) }
            client.address = "2001:db8:77:1:" + host.joined(separator: ":")
            add(client, at: number * 750 + draw(300))
        }
        let household = Client(
            address: "2001:db8:42:7::10", agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)",
            paths: ["/", "/products/1049", "/cart"])
        for number in 0..<14 { add(household, at: number * 21_000 + draw(9_000)) }
    }

    /// People who look at pages: a page is a dozen requests at once.
    private mutating func addPeople() {
        let files = ["/assets/site.css", "/assets/site.js"] + (1...9).map { "/assets/\($0).webp" }
        for (address, user) in [("198.51.100.33", "ada"), ("203.0.113.9", "-"), ("203.0.113.140", "Grace H.")] {
            var time = draw(20_000)
            while time < Self.seconds * 1_000 - 5_000 {
                let client = Client(
                    address: address, user: user, agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_2)",
                    paths: ["/products/\(1_000 + draw(40) * 7)"])
                add(client, at: time)
                for file in files {
                    var asset = client
                    asset.paths = [file]
                    add(asset, at: time + 300 + draw(900))
                }
                time += 18_000 + draw(30_000)
            }
        }
    }

    /// Two programs that come with a name, through the second server.
    private mutating func addTenants() {
        for (address, user, pause) in [("198.51.100.201", "acme", 4_000), ("198.51.100.202", "globex", 1_100)] {
            let client = Client(
                address: address, user: user, agent: "okhttp/5.1.0",
                paths: ["/api/v1/orders", "/api/v1/orders?open=1"], isUTC: true)
            for number in 0..<Self.seconds * 1_000 / pause { add(client, at: number * pause + draw(500)) }
        }
    }

    /// A line that came much too late, a handshake of another protocol, and what is no line of an access log.
    private mutating func addWhatIsNoRequest() {
        let upload = Client(address: "203.0.113.9", agent: "Mozilla/5.0", paths: ["/upload"])
        add(upload, at: 60_000, duration: 45_000)
        let time = LogTime.text(Self.start + 82, zone: 2)
        for (second, text) in [
            (31, "[Sun Oct 25 02:58:31.120332 2026] [proxy:error] [pid 311] AH00898: Error reading from remote server"),
            (82, "192.0.2.9 - - [\(time)] \"\\x16\\x03\\x01\\x02\" 400 226 \"-\" \"-\""),
            (140, ""),
            (141, "203.0.113.9 - - [25/Oct/2026:24:00:21 +0100] \"GET / HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\""),
            (190, "198.51.100.33 - ada [25/Oct/2026:02:01:10 +0100] \"GET /assets/site.c"),
            (250, "192.0.2.150 - - [25/Oct/2026:02:02:10 +0100] \"GET /products/1014 HTTP/1.1\" 200"),
        ] {
            lines.append(Line(end: second * 1_000, text: text))
        }
    }

    /// A request that came so many milliseconds after the start.
    private mutating func add(_ client: Client, at time: Int, status: Int = 200, duration: Int? = nil) {
        let second = Self.start + Int64(time / 1_000)
        let zone = client.isUTC ? 0 : time < 120_000 ? 2 : 1
        let path = client.paths[draw(client.paths.count)]
        let size = status == 200 ? 300 + draw(9_000) : 19
        // Most answers take some milliseconds, and one in eight takes some seconds.
        let duration = duration ?? (draw(8) == 0 ? draw(4_000) : draw(90))
        lines.append(
            Line(
                end: time + duration,
                text: "\(client.address) - \(client.user) [\(LogTime.text(second, zone: zone))]"
                    + " \"GET \(path) HTTP/1.1\" \(status) \(size) \"-\" \"\(client.agent)\""))
    }

    /// A number from 0 up to, not including, the bound.
    private func draw(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
}
