// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RateLimiting
import ReliabilityTesting
import Testing

/// Every algorithm against its promise: random limits, random calls, and a judge that knows only what ran when.
@Suite struct PromiseTests {
    static let cases = Algorithm.allCases.flatMap { algorithm in
        (0..<120).map { (algorithm, UInt64($0) &* 0x9E37 &+ 7) }
    }

    /// A limiter and what has been taken from it.
    private struct World {
        let algorithm: Algorithm
        let limit: RateLimit
        let limiter: any AdjustableLimiter
        let clock = ManualClock()
        var random: RandomSource
        /// What ran or will, but for what was given back.
        var acts: [Int: Act] = [:]
        var reservations: [Int: RateLimitReservation] = [:]
        var nextID = 0
        /// The furthest reading of the clock.
        var furthest: Int64 = 0

        init(_ algorithm: Algorithm, seed: UInt64, exact: Bool) {
            var random = RandomSource.seeded(seed)
            let permits = exact ? 1 << Int.random(in: 0...3, using: &random) : Int.random(in: 1...12, using: &random)
            let period = Int64.random(in: exact ? 1...24 : 1...3_000, using: &random)
            let burst = Int.random(in: 1...(exact ? 9 : 15), using: &random)
            self.algorithm = algorithm
            self.random = random
            limit = .per(.nanoseconds(period), permits, burst: burst)
            limiter = algorithm.limiter(limit, clock: clock, .init(maximumWait: .nanoseconds(20 * period)))
        }

        var now: Int64 { clock.now.offset.nanosecondsRoundedDown }
        var promise: Promise { Promise(algorithm, limit) }
        var place: Comment { Comment(rawValue: "\(algorithm) \(limit), \(permitsOfActs) at \(now)") }
        private var permitsOfActs: String {
            acts.values.sorted { $0.at < $1.at }.suffix(20).map { "\($0.permits)@\($0.at)" }.joined(separator: " ")
        }

        mutating func add(_ permits: Int, at: Int64, _ reservation: RateLimitReservation? = nil) {
            nextID += 1
            acts[nextID] = Act(at: at, permits: Int64(permits))
            reservations[nextID] = reservation
        }

        mutating func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        mutating func drawPermits() -> Int { draw(1...algorithm.capacity(limit)) }

        mutating func take() throws {
            let permits = drawPermits()
            if try limiter.tryAcquire(permits).allowed { add(permits, at: max(now, furthest)) }
        }

        mutating func reserve() throws {
            let permits = drawPermits()
            guard let reservation = try? limiter.reserve(permits, within: nil) else { return }
            let moment = max(furthest, now + reservation.delay.nanosecondsRoundedUp)
            add(permits, at: moment, reservation)
        }

        /// Gives back some or all permits of a reservation, which may have acted long ago.
        mutating func giveBack(_ id: Int? = nil) {
            guard let id = id ?? reservations.keys.sorted().randomElement(using: &random), let act = acts[id] else {
                return
            }
            let permits = Int64.random(in: 1...act.permits, using: &random)
            if permits == act.permits {
                reservations[id]?.cancel()
                reservations[id] = nil
                acts[id] = nil
            } else {
                reservations[id]?.refund(Int(permits))
                acts[id]?.permits -= permits
            }
        }
    }

    @Test(arguments: cases)
    func `no interval sees more than the promise, whatever is reserved and given back in whatever order (L40)`(
        algorithm: Algorithm, seed: UInt64
    ) throws {
        var world = World(algorithm, seed: seed, exact: false)
        let period = world.limit.period.nanosecondsRoundedUp
        for _ in 0..<200 {
            world.clock.advance(by: .nanoseconds(Int64(world.draw(0...Int(period) / 2))))
            switch world.draw(0...9) {
            case 0...4: try world.take()
            case 5...6: try world.reserve()
            default: world.giveBack()
            }
        }
        #expect(world.promise.isKept(by: Array(world.acts.values)), "seed \(seed), \(world.place)")
        let worst = world.promise.worst(of: Array(world.acts.values))
        let bound =
            switch algorithm {
            case .tokenBucket: world.limit.burst + world.limit.permits
            case .log: world.limit.permits
            case .counter: 2 * world.limit.permits - 1
            case .fixedWindow: 2 * world.limit.permits
            case .leakyBucket: world.limit.permits + world.limit.burst
            }
        #expect(worst <= bound, "seed \(seed), \(world.place)")
    }

    @Test(arguments: cases)
    func `permits are there at the first nanosecond at which the promise allows them, and not one before`(
        algorithm: Algorithm, seed: UInt64
    ) throws {
        var world = World(algorithm, seed: seed, exact: true)
        let period = world.limit.period.nanosecondsRoundedUp
        for round in 0..<60 {
            // Often nothing moves, because what is given back in its instant must leave no trace.
            world.clock.advance(by: .nanoseconds(Int64(world.draw(0...1) * world.draw(0...Int(period)))))
            if round.isMultiple(of: 15) {
                // After a long pause nothing has a say that was before, so the judge need not look at it.
                world.clock.advance(by: .nanoseconds(100 * period))
                (world.acts, world.reservations) = ([:], [:])
            }
            let now = world.now
            let permits = world.drawPermits()
            let earliest = world.promise.earliest(Int64(permits), at: now, beside: Array(world.acts.values))
            switch world.draw(0...3) {
            case 0:
                let decision = try world.limiter.tryAcquire(permits)
                try #require(decision.allowed == (earliest == now), "seed \(seed), \(world.place)")
                try #require(
                    (decision.retryAfter ?? .zero) == .nanoseconds(earliest - now), "seed \(seed), \(world.place)")
                if decision.allowed { world.add(permits, at: now) }
            case 1:
                let decision = try world.limiter.peek(permits)
                try #require(decision.allowed == (earliest == now), "seed \(seed), \(world.place)")
            case 2:
                let reservation = try? world.limiter.reserve(permits, within: nil)
                try #require((reservation != nil) == (earliest - now <= 20 * period), "seed \(seed), \(world.place)")
                guard let reservation else { continue }
                try #require(
                    reservation.delay == .nanoseconds(earliest - now), "seed \(seed), \(permits), \(world.place)")
                world.add(permits, at: earliest, reservation)
            default:
                // Before its moment, or in the instant in which it was made, nothing of it is lost.
                let whole = world.reservations.keys.sorted().filter { (world.acts[$0]?.at ?? .min) >= now }
                world.giveBack(whole.randomElement(using: &world.random) ?? -1)
            }
        }
    }

    @Test(arguments: cases)
    func `a clock that steps about gives no more than its furthest reading does`(
        algorithm: Algorithm, seed: UInt64
    ) throws {
        var world = World(algorithm, seed: seed, exact: false)
        let period = world.limit.period.nanosecondsRoundedUp
        for _ in 0..<200 {
            world.clock.set(to: .init(offset: .nanoseconds(Int64(world.draw(-3 * Int(period)...10 * Int(period))))))
            world.furthest = max(world.furthest, world.now)
            try world.take()
        }
        #expect(world.promise.isKept(by: Array(world.acts.values)), "seed \(seed), \(world.place)")
    }

    @Test(arguments: cases)
    func `a reported wait is exact from both sides, also past what was reserved (L8)`(
        algorithm: Algorithm, seed: UInt64
    ) throws {
        var world = World(algorithm, seed: seed, exact: false)
        world.clock.advance(by: .nanoseconds(Int64(world.draw(0...10_000))))
        for _ in 0..<60 {
            if world.draw(0...4) == 0 { try world.reserve() }
            if world.draw(0...6) == 0 { world.giveBack() }
            let permits = world.drawPermits()
            let start = world.clock.now
            guard let wait = try world.limiter.tryAcquire(permits).retryAfter?.nanosecondsRoundedUp else { continue }
            for before in Set([0, wait / 2, wait - 1, Int64(world.draw(0...Int(wait - 1)))]).sorted() {
                world.clock.set(to: start.advanced(by: .nanoseconds(before)))
                let again = try world.limiter.peek(permits)
                try #require(again.retryAfter == .nanoseconds(wait - before), "seed \(seed), \(world.place)")
            }
            world.clock.set(to: start.advanced(by: .nanoseconds(wait)))
            try #require(try world.limiter.tryAcquire(permits).allowed, "seed \(seed), \(world.place)")
        }
    }
}
