// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import RateLimiting
import ReliabilityTesting
import Testing

@Suite struct RateLimitFieldsTests {
    typealias Fields = RateLimitFields

    struct Response: Sendable, CustomTestStringConvertible {
        var title: String
        var fields: [(name: String, value: String)]
        var expected: Fields
        var testDescription: String { title }

        init(_ title: String, _ fields: [(String, String)], _ expected: Fields) {
            self.title = title
            self.fields = fields.map { (name: $0, value: $1) }
            self.expected = expected
        }
    }

    static let nothing = Fields()
    /// Sun, 06 Nov 1994 08:49:37 GMT
    static let now: Int64 = 784_111_777

    static let responses: [Response] = [
        Response(
            "two policies and a limit (D1)",
            [
                ("RateLimit-Policy", #""burst";q=100;w=60,"daily";q=1000;w=86400"#),
                ("RateLimit", #""default";r=50;t=30"#),
            ],
            Fields(
                policies: [
                    .init("burst", quota: 100, windowSeconds: 60), .init("daily", quota: 1_000, windowSeconds: 86_400),
                ],
                limits: [.init("default", remaining: 50, resetSeconds: 30)])),
        Response(
            "a list over several lines, in another case, with comments and other parameters",
            [
                ("ratelimit-policy", #"  "a";q=1;comment="x, \"y\"";flag"#),
                ("RATELIMIT-POLICY", #""b";w=5;q=2;acme-burst=1.5;z=tok/en;*k=1;y=?1;x=@17;v=:AQ==:"#),
                ("RateLimit", "\"a\"; r=0\t,\t\"b\";r=7"),
            ],
            Fields(
                policies: [.init("a", quota: 1), .init("b", quota: 2, windowSeconds: 5)],
                limits: [.init("a", remaining: 0), .init("b", remaining: 7)])),
        Response(
            "units and partition keys",
            [
                ("RateLimit-Policy", #""peruser";q=65535;qu="content-bytes";w=10;pk=:sdfjLJUOUH==:"#),
                ("RateLimit", #""default";r=999;pk=:dHJpYWwxMjEzMjM=:"#),
            ],
            Fields(
                policies: [
                    .init(
                        "peruser", quota: 65_535, unit: "content-bytes", windowSeconds: 10,
                        partitionKey: [0xB1, 0xD7, 0xE3, 0x2C, 0x95, 0x0E, 0x50])
                ],
                limits: [.init("default", remaining: 999, partitionKey: Array("trial121323".utf8))])),
        Response(
            "three fields of version 6 (D2)",
            [
                ("RateLimit-Limit", "100"), ("RateLimit-Remaining", " 17"), ("RateLimit-Reset", "50"),
                ("RateLimit-Policy", "100;w=60;comment=\"fixed\", 1000;w=3600"),
            ],
            Fields(
                policies: [
                    .init("default", quota: 100, windowSeconds: 60),
                    .init("default", quota: 1_000, windowSeconds: 3_600),
                ],
                limits: [.init("default", remaining: 17, resetSeconds: 50)])),
        Response(
            "a limit with the quotas that it is made of",
            [
                ("RateLimit-Limit", "10, 10;w=1, 50;w=60"), ("RateLimit-Remaining", "9"),
            ],
            Fields(
                policies: [
                    .init("default", quota: 10, windowSeconds: 1), .init("default", quota: 50, windowSeconds: 60),
                ],
                limits: [.init("default", remaining: 9)])),
        Response(
            "the X- form with a delay",
            [
                ("X-RateLimit-Limit", "5000"), ("x-ratelimit-remaining", "0"), ("X-RateLimit-Reset", "0.25"),
            ],
            Fields(
                policies: [.init("default", quota: 5_000)],
                limits: [.init("default", remaining: 0, resetSeconds: 1)])),
        Response(
            "the X- form with a date in milliseconds",
            [
                ("X-RateLimit-Remaining", "3"), ("X-RateLimit-Reset", "1700000000001"),
            ], Fields(limits: [.init("default", remaining: 3, resetSeconds: 1_700_000_001 - Int(now))])),
        Response(
            "the X- form with a date in seconds",
            [
                ("X-RateLimit-Remaining", "3"), ("X-RateLimit-Reset", "1000000001"), ("Retry-After", "0"),
            ],
            Fields(
                limits: [.init("default", remaining: 3, resetSeconds: 1_000_000_001 - Int(now))], retryAfterSeconds: 0)),
        Response(
            "a dictionary of version 7",
            [
                ("RateLimit", "limit=100, remaining=50;x=1,reset=30, more"), ("RateLimit-Remaining", "9"),
            ],
            Fields(
                policies: [.init("default", quota: 100)],
                limits: [.init("default", remaining: 50, resetSeconds: 30)])),
        Response(
            "a dictionary without the rest, and with policies beside it",
            [("RateLimit", "remaining=0"), ("RateLimit-Policy", "10;w=1")],
            Fields(
                policies: [.init("default", quota: 10, windowSeconds: 1)], limits: [.init("default", remaining: 0)])),
        Response(
            "a dictionary that is malformed, twice over",
            [("RateLimit", "limit=5, remaining=4, reset=1.5"), ("RateLimit-Remaining", "9")],
            Fields(limits: [.init("default", remaining: 9)])),
        Response(
            "a dictionary in which nothing remains to be told",
            [("RateLimit", "limit=5, reset=1"), ("X-Rate-Limit-Remaining", "9"), ("X-Rate-Limit-Limit", "15")],
            Fields(policies: [.init("default", quota: 15)], limits: [.init("default", remaining: 9)])),
        Response(
            "a reset in a unit of its own is none",
            [("X-RateLimit-Remaining", "5 , 7"), ("X-RateLimit-Reset", "6m0s")],
            Fields(limits: [.init("default", remaining: 5)])),
        Response(
            "a dictionary of zeros",
            [("RateLimit", "limit=0, remaining=0, reset=0")],
            Fields(
                policies: [.init("default", quota: 0)], limits: [.init("default", remaining: 0, resetSeconds: 0)])),
        Response(
            "less than nothing remains nowhere", [("RateLimit", "remaining=-1"), ("X-RateLimit-Remaining", "1.2.3")],
            nothing),
        Response(
            "an empty list is no limit", [("RateLimit", ""), ("RateLimit-Remaining", "9")],
            Fields(limits: [.init("default", remaining: 9)])),
        Response(
            "of separate fields the newer count, and a quota of nothing is one",
            [
                ("RateLimit-Remaining", "9"), ("X-RateLimit-Remaining", "8"), ("RateLimit-Policy", "0;w=60, 5;w=0"),
            ],
            Fields(
                policies: [.init("default", quota: 0, windowSeconds: 60), .init("default", quota: 5)],
                limits: [.init("default", remaining: 9)])),
        Response(
            "a number beyond all numbers is none", [("X-RateLimit-Remaining", "9223372036854775807.5")], nothing),
        Response(
            "the first number of seconds that can only be a date",
            [("X-RateLimit-Remaining", "3"), ("X-RateLimit-Reset", "1000000000")],
            Fields(limits: [.init("default", remaining: 3, resetSeconds: 1_000_000_000 - Int(now))])),
        Response(
            "the newest form counts",
            [
                ("RateLimit", #""x";r=4"#), ("RateLimit-Remaining", "9"), ("X-RateLimit-Remaining", "8"),
            ], Fields(limits: [.init("x", remaining: 4)])),
        Response(
            "a malformed one does not",
            [
                ("RateLimit", #"x;r=4"#), ("RateLimit-Remaining", "nine"), ("X-RateLimit-Remaining", "8"),
            ], Fields(limits: [.init("default", remaining: 8)])),
        Response("Retry-After in seconds", [("Retry-After", "120")], Fields(retryAfterSeconds: 120)),
        Response(
            "Retry-After as a date", [("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT")], Fields(retryAfterSeconds: 30)),
        Response(
            "Retry-After as an old date", [("Retry-After", "Sunday, 06-Nov-94 08:50:07 GMT")],
            Fields(retryAfterSeconds: 30)),
        Response(
            "Retry-After as an older date", [("Retry-After", "Sun Nov  6 08:50:07 1994")], Fields(retryAfterSeconds: 30)
        ),
        Response(
            "Retry-After in the past", [("Retry-After", "Sun, 06 Nov 1994 08:49:36 GMT")], Fields(retryAfterSeconds: 0)),
        Response(
            "Retry-After beyond all numbers", [("Retry-After", "99999999999999999999")], Fields(retryAfterSeconds: .max)
        ),
    ]

    @Test(arguments: responses)
    func `a response says what it says, in whichever form`(response: Response) {
        #expect(Fields(parsing: response.fields, secondsSince1970: Self.now) == response.expected)
    }

    @Test(arguments: [
        "quota;q=100", #""a";q=-1"#, #""a";q=1;w=0"#, #""a";q=1;w=-5"#, #""a";w=5"#, #""a";q=1.5"#, #""a";q="1""#,
        #""a";q=1,"#, #""a";q=1,,"b";q=2"#, #""a;q=1"#, #""a";q"#, #""a";q=1;w=tomorrow"#, #""a";q=1;qu=requests"#,
        #""a";q=1;pk="k""#, #""a";q=1;pk=:A:"#, #""a";q=1;pk=:A*==:"#, #""a";q=1;pk=:AA=A:"#, #"("a" "b");q=1"#,
        #""a";Q=1"#, #""a";q=1 "b";q=2"#, #""ä";q=1"#, #""a\n";q=1"#, #""a";q=9999999999999999"#, "5;q=3,x",
        #""a";q=?"#,
        #""a";q=1;d=%"x"#, #""a";q=1;x=-.5"#, #""a";q=1;x=:AA=="#,
        #""a";q=1;d=@x"#, #""a";q=1;d=%x"#, #""a";q=1;f=1.2345"#, "",
    ])
    func `a malformed field is ignored as a whole (D2)`(value: String) {
        let policies: [(name: String, value: String)] = [("RateLimit-Policy", value)]
        #expect(Fields(parsing: policies, secondsSince1970: 0) == Self.nothing)
        let limits: [(name: String, value: String)] = [
            ("RateLimit", value.replacing(";q", with: ";r").replacing(";w", with: ";t").replacing("t=0", with: "t=-1"))
        ]
        if !value.contains("qu=") { #expect(Fields(parsing: limits, secondsSince1970: 0) == Self.nothing) }
    }

    @Test(arguments: [
        "", "soon", "12 34", "-5", "1.5", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "٣",
    ])
    func `a Retry-After that is neither is ignored`(value: String) {
        #expect(Fields(parsing: [(name: "Retry-After", value: value)], secondsSince1970: 0) == Self.nothing)
        let twice = [(name: "Retry-After", value: "1"), (name: "Retry-After", value: "2")]
        #expect(Fields(parsing: twice, secondsSince1970: 0) == Self.nothing)
    }

    @Test(
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Thu, 29 Feb 2024 12:00:00 GMT", 1_709_208_000),
            ("Fri, 31 Dec 1999 23:59:60 GMT", 946_684_800), ("Wednesday, 01-Mar-00 00:00:00 GMT", 951_868_800),
            ("Sunday, 01-Jan-73 00:00:00 GMT", 94_694_400), ("Sat Jan  1 00:00:00 2072", 3_218_832_000),
            ("Mon, 01 Jan 0001 00:00:00 GMT", -62_135_596_800),
        ] as [(String, Int64)])
    func `dates are told to the second`(text: String, seconds: Int64) {
        // In 2021, 73 was 48 years ago and not 52 years ahead.
        #expect(HTTPDate.seconds(text, now: 1_620_000_000) == seconds)
    }

    @Test func `a reset that has passed is now, and one that never comes is not told`() {
        let fields = [(name: "X-RateLimit-Remaining", value: "3"), (name: "X-RateLimit-Reset", value: "1000000000")]
        #expect(Fields(parsing: fields, secondsSince1970: 1_700_000_000).limits.first?.resetSeconds == 0)
        let once = TokenBucket(.perSecond(0, burst: 3), clock: ManualClock())
        #expect(Fields(once.tryAcquire(), of: once.limit).limits == [.init("default", remaining: 2)])
    }

    @Test func `a decision becomes fields, rounded so that nobody comes too early`() throws {
        let clock = ManualClock()
        let limiter = TokenBucket(.perMinute(60, burst: 3), clock: clock)
        func texts(_ fields: Fields) -> [String] { fields.fields.map { "\($0.name): \($0.value)" } }
        let first = Fields(limiter.tryAcquire(), of: limiter.limit, name: "api \"v1\" ü")
        #expect(
            texts(first) == [
                #"RateLimit-Policy: "api \"v1\" _";q=60;w=60"#, #"RateLimit: "api \"v1\" _";r=2;t=1"#,
            ])
        _ = try limiter.tryAcquire(2)
        clock.advance(by: .milliseconds(1))
        let denied = Fields(try limiter.tryAcquire(2), of: limiter.limit, partitionKey: [1, 2, 255, 0])
        #expect(
            texts(denied) == [
                #"RateLimit-Policy: "default";q=60;w=60;pk=:AQL/AA==:"#, #"RateLimit: "default";r=0;t=2;pk=:AQL/AA==:"#,
                "Retry-After: 2",
            ])
        #expect(denied.delay() == .seconds(2) && denied.delay(atMost: .seconds(1)) == .seconds(1))
        for seed in 0..<20 {
            let spread = Fields(
                try limiter.tryAcquire(2), of: limiter.limit, jitter: .seconds(10), randomness: .seeded(UInt64(seed)))
            #expect((2...12).contains(spread.retryAfterSeconds ?? 0))
            #expect(spread.limits.first?.resetSeconds == spread.retryAfterSeconds)
        }
        let full = TokenBucket(.per(.milliseconds(1_500), 4), clock: clock).peek()
        #expect(
            texts(Fields(full, of: .per(.milliseconds(1_500), 4))) == [
                #"RateLimit-Policy: "default";q=4"#, #"RateLimit: "default";r=4"#,
            ])
        let off = Fields(TokenBucket(.zero, clock: clock).tryAcquire(), of: .zero)
        #expect(texts(off) == [#"RateLimit-Policy: "default";q=0;w=1"#, #"RateLimit: "default";r=0"#])
        #expect(Fields(TokenBucket(.unlimited).tryAcquire(), of: .unlimited).fields.isEmpty)
    }

    @Test func `a decision of several tells each, and comes back when all agree`() throws {
        let clock = ManualClock()
        let limiter = CompositeRateLimiter([
            TokenBucket(.per(.seconds(10), 1), name: "tenant", clock: clock),
            FixedWindow(.per(.seconds(60), 9), name: "user", clock: clock),
        ])
        #expect(Fields(limiter.tryAcquire(), of: limiter).retryAfterSeconds == nil)
        clock.advance(by: .milliseconds(500))
        let fields = Fields(limiter.tryAcquire(), of: limiter)
        #expect(
            fields.policies == [
                .init("tenant", quota: 1, windowSeconds: 10), .init("user", quota: 9, windowSeconds: 60),
            ])
        #expect(
            fields.limits == [
                .init("tenant", remaining: 0, resetSeconds: 10), .init("user", remaining: 8),
            ])
        #expect(fields.retryAfterSeconds == 10, "and no limit is told to have more only later")
        #expect(Fields(limits: fields.limits).delay() == .seconds(10))
    }

    @Test(arguments: (0..<60).map { UInt64($0) &* 131 &+ 1 })
    func `what is written reads as it was`(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        func name() -> String {
            String(
                decoding: (0..<Int.random(in: 1...9, using: &random)).map { _ in
                    UInt8.random(in: 32...126, using: &random)
                }, as: UTF8.self)
        }
        func key() -> [UInt8]? {
            Bool.random(using: &random)
                ? nil
                : (0..<Int.random(in: 1...9, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        func number(_ least: Int) -> Int? {
            Bool.random(using: &random) ? nil : Int.random(in: least...999_999_999_999_999, using: &random)
        }
        let fields = Fields(
            policies: (0..<Int.random(in: 0...4, using: &random)).map { _ in
                .init(name(), quota: number(0) ?? 0, unit: name(), windowSeconds: number(1), partitionKey: key())
            },
            limits: (0..<Int.random(in: 0...4, using: &random)).map { _ in
                .init(name(), remaining: number(0) ?? 0, resetSeconds: number(0), partitionKey: key())
            }, retryAfterSeconds: number(0))
        #expect(Fields(parsing: fields.fields, secondsSince1970: 0) == fields, "seed \(seed)")
    }

    @Test(arguments: (0..<40).map { UInt64($0) &* 7 &+ 5 })
    func `no bytes can do more than be ignored`(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        let pieces =
            Array("\"a;:?@%,()=-._ \\\t1925wqrtpkGMT*ä").map { String($0) } + [";q=1", "\"n\"", ":AA==:", ", "]
        for _ in 0..<300 {
            let value = (0..<Int.random(in: 0...14, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            for name in [
                "RateLimit", "RateLimit-Policy", "RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
                "Retry-After",
            ] {
                let fields = Fields(
                    parsing: [(name: name, value: value), (name: "RateLimit-Remaining", value: "1")],
                    secondsSince1970: 5)
                #expect(fields.policies.allSatisfy { $0.quota >= 0 && $0.windowSeconds != 0 })
                #expect(fields.limits.allSatisfy { $0.remaining >= 0 && ($0.resetSeconds ?? 0) >= 0 })
                #expect((fields.retryAfterSeconds ?? 0) >= 0 && fields.delay() <= .seconds(600))
            }
        }
    }

    @Test(arguments: [Int64.min, -1, .max])
    func `a time that no date has stops nothing`(now: Int64) {
        for value in ["Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "\t120 "] {
            let fields = RateLimitFields(
                parsing: [
                    (name: "Retry-After", value: value), (name: "X-RateLimit-Remaining", value: "0"),
                    (name: "X-RateLimit-Reset", value: "17000000000"),
                ], secondsSince1970: now)
            #expect(fields.retryAfterSeconds.map { $0 >= 0 } == true && fields.delay() >= .zero, "\(value)")
        }
        #expect(RateLimitFields(retryAfterSeconds: -5).delay() == .zero)
    }
}
