// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Retrying
import Testing

@Suite struct RetryAdviceTests {
    /// 8 November 2026, 12:00:00.25 in UTC.
    private static let now = Duration.milliseconds(1_794_139_200_250)

    // R19.
    private static let http: [(String?, Duration?)] = [
        (nil, nil),
        ("120", .seconds(120)), ("0", .zero), ("  120\t", .seconds(120)), ("00000000000000000000007", .seconds(7)),
        ("9223372036", .seconds(9_223_372_036)), ("9223372037", .longest),
        ("99999999999999999999999999999999", .longest),
        ("", nil), (" ", nil), ("-1", nil), ("+1", nil), ("1.5", nil), ("1 2", nil), ("soon", nil), ("120s", nil),
        ("٣", nil), ("120\u{0}", nil),
        // Half a minute ahead; our clock is a quarter of a second into its second.
        ("Sun, 08 Nov 2026 12:00:30 GMT", .milliseconds(29_750)),
        ("Sunday, 08-Nov-26 12:00:30 GMT", .milliseconds(29_750)),
        ("Sun Nov  8 12:00:30 2026", .milliseconds(29_750)),
        ("Sun Nov 08 12:00:30 2026", .milliseconds(29_750)),
        ("\t Sun, 08 Nov 2026 12:00:30 GMT ", .milliseconds(29_750)),
        ("Sun, 08 Nov 2026 12:00:01 GMT", .milliseconds(750)),
        ("Sun, 08 Nov 2026 12:00:00 GMT", .zero), ("Sun, 08 Nov 2026 11:59:59 GMT", .zero),
        ("Sun, 06 Nov 1994 08:49:37 GMT", .zero), ("Sunday, 06-Nov-94 08:49:37 GMT", .zero),
        ("Sun Nov  6 08:49:37 1994", .zero),
        ("Mon, 01 Jan 0000 00:00:00 GMT", .zero), ("Mon, 29 Feb 0000 00:00:00 GMT", .zero),
        ("Fri, 31 Dec 9999 23:59:59 GMT", .longest), ("Fri, 31 Dec 9999 23:59:60 GMT", .longest),
        // A leap second, a leap day, and those that are none.
        ("Sun, 08 Nov 2026 12:00:60 GMT", .milliseconds(59_750)), ("Sun, 08 Nov 2026 12:00:61 GMT", nil),
        ("Tue, 29 Feb 2028 00:00:00 GMT", .milliseconds(41_256_000_000 - 250)),
        ("Mon, 29 Feb 2027 00:00:00 GMT", nil), ("Mon, 29 Feb 2100 00:00:00 GMT", nil),
        ("Mon, 31 Nov 2026 00:00:00 GMT", nil), ("Mon, 00 Nov 2026 00:00:00 GMT", nil),
        ("Mon, 32 Dec 2026 00:00:00 GMT", nil),
        // Two digits are the latest such year that is not more than 50 years ahead.
        ("Sunday, 08-Nov-76 12:00:00 GMT", .milliseconds(1_577_923_200_000 - 250)),
        ("Sunday, 08-Nov-76 12:00:01 GMT", .zero), ("Sunday, 08-Nov-99 12:00:00 GMT", .zero),
        // What only looks like a date.
        ("Sun, 8 Nov 2026 12:00:30 GMT", nil), ("Sun, 08 Nov 26 12:00:30 GMT", nil),
        ("Sun, 08 Nov 2026 12:00:30 UTC", nil), ("Sun, 08 Nov 2026 12:00:30", nil),
        ("Sun, 08 Nov 2026 12:00:30 GMT+1", nil), ("Sun, 08 Nov 2026 24:00:30 GMT", nil),
        ("Sun, 08 Nov 2026 12:60:30 GMT", nil), ("Sun, 08 Now 2026 12:00:30 GMT", nil),
        ("Son, 08 Nov 2026 12:00:30 GMT", nil), ("Sun 08 Nov 2026 12:00:30 GMT", nil),
        ("Sunday, 08-Nov-2026 12:00:30 GMT", nil), ("Sun Nov 8 12:00:30 2026", nil),
        ("2026-11-08T12:00:30Z", nil), ("Sun, 08 Nov", nil),
    ]

    @Test func `Retry-After is read in all its forms, and nothing else is`() {
        for (value, wait) in Self.http {
            #expect(RetryAdvice.httpRetryAfter(value, now: Self.now) == wait, "\(value ?? "no field")")
        }
    }

    @Test func `the century of two digits follows the clock`() {
        let endOf2099 = Duration.seconds(4_102_444_799)
        #expect(RetryAdvice.httpRetryAfter("Friday, 01-Jan-00 00:00:00 GMT", now: endOf2099) == .seconds(1))
        #expect(RetryAdvice.httpRetryAfter("Friday, 31-Dec-99 23:59:59 GMT", now: .zero) == .seconds(946_684_799))
        #expect(RetryAdvice.httpRetryAfter("Thursday, 31-Dec-20 23:59:59 GMT", now: .zero) == .zero)
        #expect(RetryAdvice.httpRetryAfter("Thursday, 01-Jan-70 00:00:09 GMT", now: .zero) == .seconds(9))
        #expect(RetryAdvice.httpRetryAfter("Thursday, 01-Jan-70 00:00:09 GMT", now: .seconds(-1)) == .seconds(10))
    }

    private static let dates: [(date: String?, Duration)] = [
        // The other side's clock is 10 s ahead of ours, an hour behind, unreadable, or not told.
        ("Sun, 08 Nov 2026 12:00:10 GMT", .seconds(20)), ("Sun, 08 Nov 2026 11:00:00 GMT", .seconds(3_630)),
        ("Sunday, 08-Nov-26 12:00:10 GMT", .seconds(20)), ("Sun, 08 Nov 2026 12:00:31 GMT", .zero),
        ("today", .milliseconds(29_750)), ("", .milliseconds(29_750)), (nil, .milliseconds(29_750)),
    ]

    @Test(arguments: dates)
    private func `a wait until a date is measured by the clock that the date is of`(date: String?, wait: Duration) {
        let value = "Sun, 08 Nov 2026 12:00:30 GMT"
        #expect(RetryAdvice.httpRetryAfter(value, date: date, now: Self.now) == wait)
        #expect(RetryAdvice.httpRetryAfter("7", date: date, now: Self.now) == .seconds(7))
    }

    @Test func `the system's clock is asked unless a time is given`() throws {
        let past = RetryAdvice.httpRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(past == .zero)
        let future = try #require(RetryAdvice.httpRetryAfter("Fri, 31 Dec 2199 23:59:59 GMT"))
        #expect(future > .zero && future < .seconds(180 * 366 * 86_400))
    }

    // R14.
    @Test(arguments: [
        (nil, RetryVerdict.retry), ("500", .retryAfter(.milliseconds(500))), ("0", .retryAfter(.zero)),
        (" 500 ", .retryAfter(.milliseconds(500))), ("9223372036854775808", .retryAfter(.longest)),
        ("-1", .pushedBack), ("abc", .pushedBack), ("", .pushedBack), ("+500", .pushedBack), ("0.5", .pushedBack),
        ("500ms", .pushedBack),
    ])
    func `a push-back is a wait or a request not to come back`(value: String?, verdict: RetryVerdict) {
        #expect(RetryAdvice.grpcPushback(value) == verdict)
    }

    private struct RPCFailure: Error {
        var pushback: String?
    }

    // R14; in A6 the back-off begins anew.
    @Test func `a retry waits for a push-back, its back-off goes on growing, and it stops where it is asked to`() async
    {
        let clock = SkippingClock()
        let retry = Retry(
            maxAttempts: 9, backoff: .exponential(jitter: .none), repeatability: .idempotent, adviceJitter: 0,
            classify: { RetryAdvice.grpcPushback(($0 as? RPCFailure)?.pushback) }, clock: clock)
        let pushbacks = [nil, "500", nil, "-1"]
        await #expect(throws: RPCFailure.self) {
            try await retry.run { throw RPCFailure(pushback: pushbacks[$0.number - 1]) }
        }
        #expect(clock.sleeps == [.milliseconds(100), .milliseconds(500), .milliseconds(400)])
    }

    @Test func `a push-back that asks not to come back is a failure of the neighbour`() async {
        let budget = RetryBudget.tokens(maxTokens: 10)
        let retry = Retry(
            repeatability: .idempotent, budget: budget,
            classify: { RetryAdvice.grpcPushback(($0 as? RPCFailure)?.pushback) }, clock: SkippingClock())
        await #expect(throws: RPCFailure.self) { try await retry.run { throw RPCFailure(pushback: "-1") } }
        #expect(budget.available == 3)
    }

    // R11, and below.
    private static let aws: [(String?, Duration?)] = [
        (nil, nil), ("1500", .milliseconds(1500)), ("0", .zero), ("10000", .seconds(10)), ("invalid", nil),
        ("-100", nil), ("", nil), ("99999999999999999999", .longest),
    ]

    private struct Throttled: RetryAdvising {
        var retryAfter: Duration?
    }

    @Test func `R11 and R19 a retry never comes before it was advised to, and as the back-off says without advice`()
        async throws
    {
        let values: [(String, Duration)] = [
            ("1500", .milliseconds(1500)), ("0", .milliseconds(50)), ("invalid", .milliseconds(50)),
            ("-100", .milliseconds(50)),
            // AWS cuts this to 5 s above its own delay.
            ("10000", .seconds(10)),
        ]
        for (value, least) in values {
            let clock = SkippingClock()
            let retry = Retry(backoff: .constant(.milliseconds(50)), repeatability: .idempotent, clock: clock)
            try await retry.run { attempt in
                if attempt.number == 1 { throw Throttled(retryAfter: RetryAdvice.awsRetryAfter(value)) }
            }
            let delay = try #require(clock.sleeps.first)
            #expect(delay >= least && delay <= least * 11 / 10, "\(value)")
            #expect((delay == least) == (least == .milliseconds(50)), "\(value)")
        }
    }

    @Test(arguments: aws)
    func `x-amz-retry-after is whole milliseconds`(value: String?, wait: Duration?) {
        #expect(RetryAdvice.awsRetryAfter(value) == wait)
    }

    // MARK: Any bytes

    private static let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// A second of the years 1970 to 2069 in the three forms, by counting days instead of computing them.
    private func forms(of seconds: Int) -> [String] {
        var (year, month, day) = (1970, 1, seconds / 86_400)
        func length(_ year: Int, _ month: Int) -> Int {
            month == 2 ? (year % 4 == 0 ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        }
        while day >= length(year, month) {
            day -= length(year, month)
            (year, month) = month == 12 ? (year + 1, 1) : (year, month + 1)
        }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let name = Self.days[(seconds / 86_400 + 3) % 7]
        let (short, month3, dayOfMonth) = (name.prefix(3), Self.months[month - 1], day + 1)
        let time = "\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        let padded = dayOfMonth < 10 ? " \(dayOfMonth)" : "\(dayOfMonth)"
        return [
            "\(short), \(two(dayOfMonth)) \(month3) \(year) \(time) GMT",
            "\(name), \(two(dayOfMonth))-\(month3)-\(two(year % 100)) \(time) GMT",
            "\(short) \(month3) \(padded) \(time) \(year)",
        ]
    }

    @Test func `any second of a century is read back from every form`() {
        var random = RandomSource.seeded(11)
        for _ in 0..<2_000 {
            let seconds = Int.random(in: 0..<3_155_760_000, using: &random)
            let before = Int.random(in: 0...100_000, using: &random)
            for form in forms(of: seconds) {
                let wait = RetryAdvice.httpRetryAfter(form, now: .seconds(seconds - before))
                #expect(wait == .seconds(before), "\(form)")
            }
        }
    }

    @Test func `no bytes do harm`() {
        var random = RandomSource.seeded(12)
        let times: [Duration] = [.zero, Self.now, .longest, .seconds(Int64.max), .seconds(Int64.min)]
        for round in 0..<20_000 {
            var bytes = Array(Self.http[round % Self.http.count].0.map { Array($0.utf8) } ?? [])
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0...bytes.count, using: &random)
                switch Int.random(in: 0...3, using: &random) {
                case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                case 1: if at < bytes.count { bytes[at] = UInt8.random(in: 32...126, using: &random) }
                case 2: if at < bytes.count { bytes.remove(at: at) }
                default: bytes.insert(contentsOf: bytes.prefix(at), at: at)
                }
            }
            let value = String(decoding: bytes, as: UTF8.self)
            let now = times[round % times.count]
            let waits = [
                RetryAdvice.httpRetryAfter(value, date: round % 3 == 0 ? value : nil, now: now),
                RetryAdvice.awsRetryAfter(value),
            ]
            #expect(waits.allSatisfy { $0.map { (.zero ... .longest).contains($0) } ?? true }, "\(bytes)")
            if case .retryAfter(let wait) = RetryAdvice.grpcPushback(value) {
                #expect((.zero ... .longest).contains(wait), "\(bytes)")
            }
        }
    }
}
