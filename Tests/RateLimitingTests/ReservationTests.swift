// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import RateLimiting
import ReliabilityTesting
import Synchronization
import Testing

/// What is reserved, when it is there, and what is left when it is given back.
@Suite struct ReservationTests {
    /// One step of a story; moments and delays in units of a table.
    enum Step: Sendable {
        /// Moves the clock.
        case at(Double)
        /// Reserves permits, which are to be there at a moment.
        case reserve(Int, as: String = "", moment: Double)
        /// Reserves permits no further ahead than a delay, which is to be refused.
        case refused(Int, within: Double)
        /// Reserves more than there can ever be.
        case never(Int)
        case cancel(String)
        case refund(String, Int)
        /// What could be had at once.
        case remaining(Int)
        case reconfigure(RateLimit)
    }

    struct Story: Sendable, CustomTestStringConvertible {
        var title: String
        var algorithm: Algorithm
        var limit: RateLimit
        /// The unit of time in nanoseconds.
        var unit: Int64
        var steps: [Step]
        var testDescription: String { "\(title), \(algorithm)" }
    }

    private static let five: [Step] =
        [.reserve(2, moment: 0)] + (1...5).map { Step.reserve(1, as: "\($0)", moment: Double($0)) }
    private static let back: [Step] = (0..<50).flatMap { number -> [Step] in
        [.reserve(7, as: "\(number)", moment: 0), .cancel("\(number)")]
    }
    private static let nine: [Step] = (1...9).flatMap { number -> [Step] in
        let step: Step =
            switch number {
            case ...3: .reserve(1, moment: Double(number))
            case ...6: .reserve(1, moment: 10_000_000)
            default: .refused(1, within: 12_000_000)
            }
        return [.at(Double(number)), step]
    }

    static let stories: [Story] = [
        Story(
            title: "each comes when those before it are paid for (L13)", algorithm: .tokenBucket,
            limit: .every(.milliseconds(100), burst: 2), unit: 100_000_000,
            steps: [.reserve(2, moment: 0), .reserve(2, moment: 2), .at(3), .reserve(2, moment: 4)]),
        Story(
            title: "the last that is cancelled leaves nothing (L14)", algorithm: .tokenBucket,
            limit: .every(.milliseconds(100), burst: 2), unit: 100_000_000,
            steps: [
                .reserve(2, moment: 0), .reserve(2, as: "r", moment: 2), .at(1), .cancel("r"), .reserve(2, moment: 2),
            ]),
        Story(
            title: "what is cancelled in the middle is there for the next caller (L16, peers lose it)",
            algorithm: .tokenBucket, limit: .every(.milliseconds(100), burst: 2), unit: 100_000_000,
            steps: [
                .reserve(2, moment: 0), .reserve(1, as: "r", moment: 1), .reserve(1, as: "s", moment: 2), .cancel("r"),
                .reserve(1, moment: 1), .reserve(1, moment: 3),
            ]),
        Story(
            title: "cancelled at its very moment it is there for the next caller (L16b, peers lose one of two)",
            algorithm: .tokenBucket, limit: .every(.milliseconds(100), burst: 2), unit: 100_000_000,
            steps: [
                .reserve(2, moment: 0), .reserve(2, as: "r", moment: 2), .reserve(1, moment: 3), .at(2), .cancel("r"),
                .reserve(2, moment: 2), .reserve(1, moment: 4),
            ]),
        Story(
            title: "two cancelled out of order (L16b, peers give the next caller 5)", algorithm: .tokenBucket,
            limit: .every(.milliseconds(100), burst: 4), unit: 100_000_000,
            steps: [
                .reserve(4, moment: 0), .reserve(3, as: "a", moment: 3), .reserve(1, moment: 4),
                .reserve(1, as: "c", moment: 5), .at(1), .cancel("c"), .cancel("a"), .reserve(3, moment: 3),
            ]),
        Story(
            title: "more than there can ever be takes nothing (L16c)", algorithm: .tokenBucket,
            limit: .every(.milliseconds(100), burst: 2), unit: 100_000_000,
            steps: [.reserve(2, moment: 0), .never(3), .reserve(2, moment: 2)]),
        Story(
            title: "a faster rate: what was reserved stays, no interval sees too much (L17a, peers break it)",
            algorithm: .tokenBucket, limit: .perSecond(5, burst: 2), unit: 100_000_000,
            steps: [
                .reserve(2, moment: 0), .reserve(2, moment: 4), .at(2), .reconfigure(.perSecond(10, burst: 2)),
                .reserve(1, moment: 2), .reserve(1, moment: 5),
            ]),
        Story(
            title: "a faster rate, and what lay ahead is cancelled (L17b)", algorithm: .tokenBucket,
            limit: .perSecond(5, burst: 2), unit: 100_000_000,
            steps: [
                .reserve(2, moment: 0), .reserve(2, as: "r", moment: 4), .at(2),
                .reconfigure(.perSecond(10, burst: 2)), .cancel("r"), .reserve(2, moment: 3),
            ]),
        Story(
            title: "a larger burst: what was used stays used (L17c, peers break the limit)", algorithm: .tokenBucket,
            limit: .perSecond(5, burst: 2), unit: 100_000_000,
            steps: [
                .reserve(2, moment: 0), .reserve(2, moment: 4), .at(3), .reconfigure(.perSecond(5, burst: 4)),
                .reserve(4, moment: 8),
            ]),
        Story(
            title: "cancelled in the instant, or a nanosecond later, it comes back whole (L23a, peers lose it)",
            algorithm: .tokenBucket, limit: .perSecond(7, burst: 2), unit: 1,
            steps: [
                .reserve(2, as: "a", moment: 0), .cancel("a"), .remaining(2), .reserve(2, as: "b", moment: 0), .at(1),
                .cancel("b"), .remaining(2),
            ]),
        Story(
            title: "five cancelled first to last are as if never made (L23b, peers lose four)",
            algorithm: .tokenBucket, limit: .every(.seconds(1), burst: 2), unit: 1_000_000_000,
            steps: five + (1...5).map { .cancel("\($0)") } + [
                .reserve(1, as: "x", moment: 1), .cancel("x"), .at(2), .remaining(2),
            ]),
        Story(
            title: "five cancelled last to first are as if never made (L23b)", algorithm: .tokenBucket,
            limit: .every(.seconds(1), burst: 2), unit: 1_000_000_000,
            steps: five + (1...5).reversed().map { .cancel("\($0)") } + [
                .reserve(1, moment: 1), .at(1), .remaining(0),
            ]),
        Story(
            title: "no fraction is lost over and over (L23d)", algorithm: .tokenBucket, limit: .perSecond(7),
            unit: 1_000_000_000,
            steps: back + [.remaining(7)]),
        Story(
            title: "slots of 200 ms (L25)", algorithm: .fixedWindow, limit: .every(.milliseconds(200)),
            unit: 1_000_000,
            steps: [
                .reserve(1, moment: 0), .reserve(1, moment: 200), .reserve(1, moment: 400), .at(550),
                .reserve(1, moment: 600), .reserve(1, moment: 800), .at(2_210), .reserve(1, moment: 2_210),
                .reserve(1, moment: 2_400), .reserve(1, moment: 2_600),
            ]),
        Story(
            title: "slots of 100 ns (L26)", algorithm: .fixedWindow, limit: .every(.nanoseconds(100)), unit: 1,
            steps: [
                .reserve(1, moment: 0), .reserve(1, moment: 100), .at(100), .reserve(1, moment: 200),
                .reserve(1, moment: 300), .at(1_050), .reserve(1, moment: 1_050), .at(1_150),
                .reserve(1, moment: 1_150), .reserve(1, moment: 1_200),
            ]),
        Story(
            title: "what is refused is not charged (L28)", algorithm: .fixedWindow, limit: .every(.milliseconds(250)),
            unit: 1_000_000,
            steps: [
                .reserve(1, moment: 0), .refused(1, within: 0), .reserve(1, moment: 250), .refused(1, within: 250),
                .reserve(1, moment: 500), .at(1_500.00001), .remaining(1), .reserve(1, moment: 1_500.00001),
            ]),
        Story(
            title: "three a window, twelve ahead (L29)", algorithm: .fixedWindow, limit: .per(.milliseconds(10), 3),
            unit: 1,
            steps: nine),
        Story(
            title: "three who come at once are paced (L37)", algorithm: .leakyBucket, limit: .perSecond(10),
            unit: 100_000_000,
            steps: [
                .reserve(1, moment: 0), .reserve(1, as: "b", moment: 1), .reserve(1, moment: 2), .cancel("b"),
                .reserve(1, moment: 1), .reserve(3, moment: 3), .reserve(1, moment: 6),
            ]),
        Story(
            title: "part of it comes back", algorithm: .tokenBucket, limit: .every(.seconds(1), burst: 10),
            unit: 1_000_000_000,
            steps: [
                .reserve(8, as: "estimate", moment: 0), .remaining(2), .refund("estimate", 5), .remaining(7),
                .refund("estimate", 99), .remaining(10), .cancel("estimate"), .remaining(10),
            ]),
        Story(
            title: "part of what lies ahead comes back", algorithm: .log, limit: .per(.seconds(10), 4),
            unit: 1_000_000_000,
            steps: [
                .reserve(4, moment: 0), .reserve(3, as: "r", moment: 10), .refund("r", 2), .reserve(3, moment: 10),
                .reserve(1, moment: 20),
            ]),
        Story(
            title: "what time has brought back does not come back twice", algorithm: .tokenBucket,
            limit: .every(.seconds(1)), unit: 1_000_000_000,
            steps: [
                .reserve(1, as: "a", moment: 0), .at(1), .reserve(1, as: "b", moment: 1), .cancel("a"), .remaining(0),
                .reserve(1, as: "c", moment: 2), .at(2.5), .cancel("c"), .remaining(1),
            ]),
        Story(
            title: "what was taken after something came back is found where it is now", algorithm: .tokenBucket,
            limit: .every(.seconds(1), burst: 5), unit: 500_000_000,
            steps: [
                .reserve(1, as: "a", moment: 0), .reserve(1, moment: 0), .cancel("a"), .reserve(1, as: "c", moment: 0),
                .at(3), .cancel("c"), .remaining(5),
            ]),
        Story(
            title: "given back after its moment, for all windows", algorithm: .log, limit: .per(.seconds(10), 2),
            unit: 1_000_000_000,
            steps: [
                .reserve(2, as: "a", moment: 0), .at(4), .cancel("a"), .reserve(2, moment: 4),
                .reserve(1, as: "b", moment: 14), .at(23), .remaining(1), .cancel("b"), .remaining(2),
            ]),
        Story(
            title: "given back in the next window it weighs no more", algorithm: .counter,
            limit: .per(.seconds(10), 4), unit: 1_000_000_000,
            steps: [
                .reserve(4, as: "a", moment: 0), .at(10), .remaining(0), .at(15), .remaining(2), .cancel("a"),
                .remaining(4), .reserve(4, as: "b", moment: 15), .at(40), .cancel("b"), .remaining(4),
            ]),
        Story(
            title: "given back in the next window, in which others were taken", algorithm: .counter,
            limit: .per(.seconds(10), 4), unit: 1_000_000_000,
            steps: [
                .reserve(4, as: "a", moment: 0), .at(15), .reserve(1, as: "b", moment: 15), .remaining(1),
                .cancel("a"), .remaining(3), .at(27), .reserve(1, moment: 27), .at(41), .cancel("b"), .remaining(4),
            ]),
        Story(
            title: "given back in its window", algorithm: .fixedWindow, limit: .per(.seconds(10), 4),
            unit: 1_000_000_000,
            steps: [
                .reserve(4, as: "a", moment: 0), .reserve(1, as: "b", moment: 10), .at(9), .cancel("a"), .remaining(3),
                .at(12), .remaining(3), .cancel("b"), .remaining(4),
            ]),
    ]

    @Test(arguments: stories)
    func `every step of a story is as told`(story: Story) throws {
        let clock = ManualClock()
        let limiter = story.algorithm.limiter(story.limit, clock: clock, .init(maximumWait: .seconds(1_000)))
        var reservations: [String: RateLimitReservation] = [:]
        func time(_ units: Double) -> Duration { .nanoseconds(Int64((units * Double(story.unit)).rounded())) }
        for (index, step) in story.steps.enumerated() {
            let place = Comment(rawValue: "\(story.title), step \(index): \(step)")
            switch step {
            case .at(let moment):
                clock.set(to: .init(offset: time(moment)))
            case .reserve(let permits, let name, let moment):
                let reservation = try limiter.reserve(permits, within: nil)
                #expect(clock.now.offset + reservation.delay == time(moment), place)
                #expect(reservation.permits == permits, place)
                reservations[name] = reservation
            case .refused(let permits, let delay):
                #expect(throws: RateLimited.self, place) { try limiter.reserve(permits, within: time(delay)) }
            case .never(let permits):
                let never = ExceedsCapacity(requested: permits, capacity: story.algorithm.capacity(story.limit))
                #expect(throws: never, place) { try limiter.reserve(permits, within: nil) }
            case .cancel(let name):
                try #require(reservations[name]).cancel()
            case .refund(let name, let permits):
                try #require(reservations[name]).refund(permits)
            case .remaining(let permits):
                #expect(limiter.peek().remaining == permits, place)
            case .reconfigure(let limit):
                limiter.reconfigure(limit, consumed: .keep)
            }
        }
    }

    @Test(arguments: Algorithm.allCases)
    func `as many reservations lie ahead as may, and each refusal says when its place would be`(
        algorithm: Algorithm
    ) throws {
        let clock = ManualClock()
        let events = Recorder<RateLimitEvent>()
        let limiter = algorithm.limiter(
            .per(.seconds(1), 2, burst: 2), clock: clock,
            .init(maximumWait: .seconds(100), maximumWaiters: 2) { events.append($0) })
        _ = try limiter.reserve(2, within: nil)
        let ahead = [try limiter.reserve(2, within: nil), try limiter.reserve(2, within: nil)]
        let error = try #require(throws: RateLimited.self) { try limiter.reserve(2, within: nil) }
        let expected = ahead[1].delay + (algorithm == .counter ? .seconds(2) : .seconds(1))
        #expect(error == RateLimited(limiter: "limiter", retryAfter: expected))
        ahead[0].cancel()
        #expect(try limiter.reserve(2, within: nil).delay == ahead[0].delay)
        #expect(
            events.all.map(\.kind) == [.denied(permits: 2, retryAfter: expected), .refunded(permits: 2)])
    }

    @Test func `what lies ahead is refused behind the deadline of the caller`() async throws {
        let clock = ManualClock()
        let limiter = TokenBucket(.every(.seconds(1)), maximumWait: .seconds(100), clock: clock)
        _ = limiter.tryAcquire()
        try await Deadline.after(.seconds(3), clock: clock).run {
            let delays = try [limiter.reserve(within: .seconds(50)), limiter.reserve()].map(\.delay)
            #expect(delays == [.seconds(1), .seconds(2)])
            // At the deadline itself it is too late.
            #expect(throws: RateLimited(limiter: "", retryAfter: .seconds(3))) { try limiter.reserve() }
        }
        try await Deadline.after(.seconds(3) + .nanoseconds(1), clock: clock).run {
            #expect(throws: RateLimited.self) { try limiter.reserve(within: .seconds(2)) }
            let last = try limiter.reserve(within: .seconds(3))
            #expect(last.delay == .seconds(3))
        }
        #expect(try limiter.reserve().delay == .seconds(4))
    }

    @Test(arguments: Algorithm.allCases)
    func `who waits for a reservation has it at its moment, or gives it back`(algorithm: Algorithm) async throws {
        let clock = ManualClock()
        let limiter = algorithm.limiter(.every(.seconds(1)), clock: clock, .init(maximumWait: .seconds(100)))
        try await limiter.reserve(1, within: nil).wait()
        let ahead = try [limiter.reserve(1, within: nil), limiter.reserve(1, within: nil)]
        let tasks = ahead.map { reservation in Task { try await reservation.wait() } }
        await clock.waitForSleepers(2)
        tasks[0].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[0].value }
        #expect(try limiter.reserve(1, within: nil).delay == ahead[0].delay)
        #expect(clock.nextWake == ahead[1].delay)
        clock.advance(by: ahead[1].delay)
        try await tasks[1].value
        try await ahead[1].wait()
    }

    @Test func `a bucket is under its lock only while it must be`() async throws {
        let clock = ManualClock()
        let limiter = TokenBucket(.every(.seconds(1), burst: 3), maximumWait: .seconds(100), clock: clock)
        func isPlain() -> Bool { limiter.tat.load(ordering: .relaxed) != TokenBucket.elsewhere }
        let held = try limiter.reserve(3)
        #expect(isPlain(), "a reservation that is there at once is a grant")
        let ahead = try limiter.reserve(2)
        #expect(!isPlain())
        ahead.cancel()
        #expect(isPlain())
        clock.advance(by: .seconds(3))
        let first = try limiter.reserve()
        _ = limiter.tryAcquire()
        first.cancel()
        #expect(!isPlain(), "a mark may have to be told from where its permits are now")
        #expect(limiter.peek().remaining == 2)
        clock.advance(by: .seconds(2))
        #expect(limiter.tryAcquire().allowed)
        #expect(isPlain())
        held.cancel()
        #expect(limiter.peek().remaining == 2)
    }

    private func gaps(of limiter: TokenBucket) -> [BucketState.Gap] { limiter.state.withLock { $0.base.gaps ?? [] } }

    @Test func `gaps that nothing follows any more are forgotten`() throws {
        let limiter = TokenBucket(.every(.seconds(1), burst: 9), clock: ManualClock())
        let held = try (0..<6).map { _ in try limiter.reserve() }
        for (number, count) in [(0, 1), (2, 2), (1, 1), (4, 2), (3, 1)] {
            held[number].cancel()
            #expect(gaps(of: limiter).count == count, "those that touch are one")
        }
        #expect(limiter.peek().remaining == 8)
        held[5].cancel()
        #expect(gaps(of: limiter).isEmpty && limiter.peek().resetAfter == .zero)
        #expect(limiter.tat.load(ordering: .relaxed) == 0)
    }

    @Test func `permits come back however often they do, in a bucket that is never full`() throws {
        let clock = ManualClock()
        let limiter = TokenBucket(.every(.seconds(1), burst: 20), clock: clock)
        _ = try limiter.tryAcquire(20)
        for round in 0..<300 {
            clock.advance(by: .seconds(2))
            let first = try limiter.reserve()
            #expect(limiter.tryAcquire().allowed && !limiter.tryAcquire().allowed)
            first.cancel()
            #expect(limiter.tryAcquire().allowed && !limiter.tryAcquire().allowed, "round \(round)")
        }
        #expect((1...20).contains(gaps(of: limiter).count))
    }

    @Test func `only so many gaps are kept, and what would leave one more stays taken`() throws {
        let count = 6 * BucketState.mostGaps
        let limiter = TokenBucket(.every(.seconds(1), burst: count), clock: ManualClock())
        let held = try (0..<count).map { _ in try limiter.reserve() }
        for number in stride(from: 0, to: count, by: 2) { held[number].cancel() }
        #expect(gaps(of: limiter).count == BucketState.mostGaps)
        #expect(limiter.peek().remaining == BucketState.mostGaps)
        for number in stride(from: 1, to: count, by: 2) { held[number].cancel() }
        // What fills the room between two gaps makes them one, and so there is room for others.
        #expect(limiter.peek().remaining == 3 * BucketState.mostGaps)
    }

    @Test func `only so many reservations whose moment has passed are kept`() {
        var state = LimiterState(GCRA(.every(.nanoseconds(10), burst: 1_000_000)))
        _ = state.take(1_000_000, at: 0)
        for now in 0..<Int64(3_000) { _ = state.reserve(1, at: now * 10, until: .max, most: 4_000) }
        state.catchUp(with: 30_001)
        #expect(state.settled.count == LimiterState<GCRA>.mostSettled)
        let last = state.giveBack(1, of: .ahead(3_000, moment: 30_000), at: 30_001)
        let first = state.giveBack(1, of: .ahead(1, moment: 10), at: 30_001)
        #expect(last.hasReturned && !first.hasReturned)
        state.catchUp(with: 1 << 40)
        #expect(state.settled.isEmpty && state.isQuiet)
    }

    @Test func `what a key takes is what the documentation says`() {
        #expect(MemoryLayout<GCRA.State>.stride == 16 && MemoryLayout<Pacing.State>.stride == 16)
        #expect(MemoryLayout<FixedWindowCount.State>.stride == 16 && MemoryLayout<SlidingCount.State>.stride == 24)
        #expect(MemoryLayout<SlidingLog.State.Entry>.stride == 16)
        #expect(MemoryLayout<KeyTable<String, GCRA.State>.Slot>.stride == 40)
    }

    @Test func `a part of each of many comes back, as the others still use theirs`() throws {
        let limiter = TokenBucket(.perMinute(100_000), clock: ManualClock())
        let held = try (0..<1_000).map { _ in try limiter.reserve(100) }
        #expect(limiter.peek().remaining == 0)
        for reservation in held { reservation.refund(80) }
        #expect(limiter.peek().remaining == 80_000)
    }

    @Test func `permits that come back again and again in a bucket that takes long to fill stop nothing`() throws {
        let limiter = TokenBucket(.per(.seconds(365 * 86_400), 2), clock: ManualClock())
        var held = [try limiter.reserve(), try limiter.reserve()]
        for _ in 0..<200 {
            held.removeFirst().cancel()
            guard let next = try? limiter.reserve() else { break }
            held.append(next)
            #expect(!limiter.tryAcquire().allowed)
        }
        for reservation in held { reservation.cancel() }
        #expect(limiter.peek().remaining <= 2)
    }

    @Test(arguments: Algorithm.allCases)
    func `whoever waits and is awake late keeps its place before what was reserved behind it`(algorithm: Algorithm) {
        func check<Core: LimitCore>(_ core: Core) {
            var state = LimiterState(core)
            _ = state.take(1, at: 0)
            var waiters: [Int] = []
            for _ in 0..<2 {
                guard case .joined(let id) = state.join(1, at: 0, until: .max - 1, most: 9) else { return }
                waiters.append(id)
            }
            var moments: [Int64] = []
            if case .sleep(let moment) = state.turn(of: waiters[0], at: 0) { moments.append(moment) }
            for _ in 0..<4 {
                guard case .reserved(.ahead(_, let moment)) = state.reserve(1, at: 0, until: .max - 1, most: 9) else {
                    return
                }
                moments.append(moment)
            }
            #expect(moments.count == 5)
            let second = (moments[0] + moments[1]) / 2
            for (id, moment) in zip(waiters, [moments[0], second]) {
                guard case .granted = state.turn(of: id, at: moment + 3) else {
                    #expect(Bool(false), "\(id) is not served at \(moment)")
                    return
                }
            }
            // All have their places, and the next place is behind them, as if nobody had been late.
            let spacing = moments[4] - moments[3]
            #expect(state.peek(1, at: second + 3)?.retryAfter == .nanoseconds(moments[4] + spacing - second - 3))
        }
        let limit = RateLimit.every(.nanoseconds(100))
        switch algorithm {
        case .tokenBucket: check(GCRA(limit))
        case .log: check(SlidingLog(limit))
        case .counter: check(SlidingCount(limit))
        case .fixedWindow: check(FixedWindowCount(limit))
        case .leakyBucket: check(Pacing(limit))
        }
    }

    @Test func `whoever sleeps past a reservation takes its permits after it`() {
        var state = LimiterState(SlidingLog(.per(.nanoseconds(100), 4)))
        func reserve(_ permits: Int64) -> Holding? {
            guard case .reserved(let holding) = state.reserve(permits, at: 0, until: 1_000, most: 9) else { return nil }
            return holding
        }
        _ = state.take(4, at: 0)
        guard case .joined(let id) = state.join(1, at: 0, until: 1_000, most: 9),
            case .sleep(until: 100) = state.turn(of: id, at: 0),
            case .ahead(_, moment: 100) = reserve(3), case .ahead(_, moment: 200) = reserve(1),
            let last = reserve(4), case .ahead(_, moment: 300) = last
        else { return #expect(Bool(false)) }
        _ = state.giveBack(3, of: last, at: 0)
        _ = state.peek(1, at: 250)
        guard case .granted = state.turn(of: id, at: 250) else { return #expect(Bool(false)) }
        _ = state.giveBack(1, of: last, at: 250)
        #expect(state.peek(4, at: 250)?.retryAfter == .nanoseconds(100), "one since 200, and the late one")
    }

    @Test(arguments: Algorithm.allCases)
    func `what time has brought back already is not reported as given back`(algorithm: Algorithm) throws {
        let clock = ManualClock()
        let events = Recorder<RateLimitEvent>()
        let limiter = algorithm.limiter(.perSecond(3), clock: clock, .init { events.append($0) })
        let held = try limiter.reserve(2, within: nil)
        clock.advance(by: .seconds(2))
        held.cancel()
        #expect(events.all.isEmpty && limiter.peek().remaining == algorithm.capacity(.perSecond(3)))
    }
}
