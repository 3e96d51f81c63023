// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import CircuitBreaking
import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

@Suite struct CircuitBreakersTests {
    typealias Settings = CircuitBreaker.Configuration
    typealias Event = KeyedCircuitEvent<String>

    private let clock = ManualClock()
    private let log = Log()

    private final class Log: Sendable {
        let events = Locked<[Event]>([])
    }

    private var events: [Event] { log.events.withLock { $0 } }

    /// Breakers that one failure opens for 5 s, with one probe, over the last 10 s.
    private func makeBreakers(
        _ settings: Settings = .init(
            window: .time(.seconds(10)), minimumCalls: 1, openFor: .seconds(5), probes: .init(1),
            forgetAfter: .seconds(60)),
        maximumKeys: Int = 1, overflow: CircuitBreakers<String>.Overflow = .shared
    ) -> CircuitBreakers<String> {
        CircuitBreakers(
            name: "shops", configuration: settings, maximumKeys: maximumKeys, overflow: overflow,
            judge: { $0 is Declined ? .success : .failure }, clock: clock,
            onEvent: { [log] event in log.events.withLock { $0.append(event) } })
    }

    @Test func `every key has a breaker of its own, and the same each time`() async throws {
        let breakers = makeBreakers(maximumKeys: 10)
        #expect(breakers.existingBreaker(for: "a") == nil)
        #expect(breakers.count == 0)
        let a = breakers.breaker(for: "a")
        #expect(breakers.breaker(for: "a") === a)
        #expect(breakers.existingBreaker(for: "a") === a)
        #expect(breakers.breaker(for: "b") !== a)
        await #expect(throws: Broken.self) { try await breakers.run(for: "a") { throw Broken() } }
        await #expect(throws: CircuitOpen(name: "shops", retryAfter: .seconds(5))) {
            try await breakers.run(for: "a") {}
        }
        await #expect(throws: Declined.self) { try await breakers.run(for: "b") { throw Declined() } }
        #expect(try await breakers.run(for: "b") { 7 } == 7)
        #expect(breakers.count == 2)
        #expect(breakers.snapshots().mapValues(\.state) == ["a": .open, "b": .closed])
        #expect(breakers.snapshots()["b"]?.counts == CircuitCounts(calls: 2))
        let opened = CircuitChange(
            from: .closed, to: .open, reason: .failureRate,
            counts: CircuitCounts(calls: 1, failures: 1, consecutiveFailures: 1), openFor: .seconds(5))
        let told = events
        #expect(told.map(\.key) == ["a", "a"])
        #expect(
            told.map(\.kind) == [
                .breaker(.init(name: "shops", generation: 2, kind: .changed(opened))),
                .breaker(.init(name: "shops", generation: 2, kind: .rejected(retryAfter: .seconds(5)))),
            ])
    }

    private static let reasonsToStay = [
        "held", "permit", "running", "success", "open", "half-open", "isolated", "disabled", "metrics", "own settings",
    ]

    @Test(arguments: reasonsToStay)
    func `a breaker makes room only when it is as good as new and nobody holds it`(reason: String) async throws {
        let breakers = makeBreakers()
        var held: [CircuitBreaker] = []
        var permit: DetachedPermit?
        func expectToStay(_ ends: (CircuitBreaker) throws -> Void) rethrows {
            #expect(breakers.breaker(for: "b") === breakers.overflowBreaker)
            let breaker = breakers.existingBreaker(for: "a")
            #expect(breaker != nil)
            if let breaker { try ends(breaker) }
        }
        switch reason {
        case "held":
            held.append(breakers.breaker(for: "a"))
            expectToStay { #expect(held.removeLast() === $0) }
        case "permit":
            permit = try breakers.breaker(for: "a").acquire().detach()
            expectToStay { _ in permit?.ignore() }
            permit = nil
        case "running":
            await #expect(throws: Refused.self) {
                try await breakers.run(for: "a") {
                    expectToStay { _ in }
                    throw Refused()
                }
            }
        case "success":
            try breakers.breaker(for: "a").acquire().succeed()
            clock.advance(by: .seconds(10) - .nanoseconds(1))
            expectToStay { _ in clock.advance(by: .nanoseconds(1)) }
        case "open":
            try breakers.breaker(for: "a").acquire().fail()
            clock.advance(by: .seconds(65) - .nanoseconds(1))
            expectToStay { _ in clock.advance(by: .nanoseconds(1)) }
        case "half-open":
            try breakers.breaker(for: "a").acquire().fail()
            clock.advance(by: .seconds(5))
            try breakers.breaker(for: "a").acquire().ignore()
            clock.advance(by: .seconds(60) - .nanoseconds(1))
            expectToStay { _ in clock.advance(by: .nanoseconds(1)) }
        case "isolated":
            breakers.breaker(for: "a").isolate()
            clock.advance(by: .seconds(1e9))
            expectToStay { $0.reset() }
        case "disabled":
            breakers.breaker(for: "a").disable()
            clock.advance(by: .seconds(1e9))
            expectToStay { $0.reset() }
        case "metrics":
            breakers.breaker(for: "a").measureOnly()
            clock.advance(by: .seconds(1e9))
            expectToStay { $0.reset() }
        default:
            try breakers.breaker(for: "a").reconfigure(Settings())
            clock.advance(by: .seconds(1e9))
            expectToStay { _ in }
            #expect(breakers.count == 1)
            return
        }
        log.events.withLock { $0 = [] }
        let b = breakers.breaker(for: "b")
        #expect(b !== breakers.overflowBreaker)
        #expect(breakers.existingBreaker(for: "a") == nil)
        #expect(breakers.existingBreaker(for: "b") === b)
        #expect(breakers.count == 1)
        #expect(events == [Event(key: "a", kind: .evicted)])
    }

    @Test func `keys without room share a breaker, or have none`() throws {
        let shared = makeBreakers()
        let a = shared.breaker(for: "a")
        let b = shared.breaker(for: "b")
        #expect(b !== a)
        #expect(shared.breaker(for: "c") === b)
        #expect(events == [Event(key: "b", kind: .overflowed), Event(key: "c", kind: .overflowed)])
        try b.acquire().fail()
        #expect(b.state == .open)
        #expect(events.last?.key == nil)
        let unguarded = makeBreakers(overflow: .unguarded)
        let held = unguarded.breaker(for: "a")
        for _ in 0..<9 { try unguarded.breaker(for: "b").acquire().fail() }
        #expect(unguarded.overflowBreaker.state == .disabled)
        #expect(held.state == .closed)
    }

    @Test func `the one breaker that can make room is found, wherever it is`() {
        let breakers = makeBreakers(maximumKeys: 100)
        var held = (0..<100).map { breakers.breaker(for: "\($0)") }
        #expect(breakers.count == 100)
        held.remove(at: 70)
        // Not more than 32 are looked at for a key that has no room, so the fourth at the latest finds it.
        let found = (0..<4).map { breakers.breaker(for: "new \($0)") }.filter { $0 !== breakers.overflowBreaker }
        #expect(found.count == 1)
        #expect(breakers.existingBreaker(for: "70") == nil)
        #expect(breakers.count == 100)
        #expect(held.count == 99)
    }

    @Test func `all breakers get another configuration, but those that were given their own`() throws {
        let breakers = makeBreakers(maximumKeys: 10)
        let (a, b) = (breakers.breaker(for: "a"), breakers.breaker(for: "b"))
        try b.reconfigure(Settings(openFor: .seconds(7)))
        try breakers.reconfigure(Settings(openFor: .seconds(9)))
        #expect(a.configuration.openFor == .seconds(9))
        #expect(b.configuration.openFor == .seconds(7))
        #expect(breakers.breaker(for: "c").configuration.openFor == .seconds(9))
        #expect(breakers.overflowBreaker.configuration.openFor == .seconds(9))
        #expect(throws: InvalidCircuitConfiguration.self) { try breakers.reconfigure(Settings(openFor: .zero)) }
        #expect(breakers.configuration.openFor == .seconds(9))
    }

    @Test func `the configuration that was set last is that of all, whoever set another at the time`() async throws {
        for _ in 0..<20 {
            let breakers = CircuitBreakers<Int>(name: "shops", maximumKeys: 2_000, clock: clock)
            let own = breakers.breaker(for: -1)
            try own.reconfigure(Settings(openFor: .seconds(77)))
            for key in 0..<400 { _ = breakers.breaker(for: key) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seconds in 1...4 {
                    group.addTask {
                        try breakers.reconfigure(Settings(openFor: .seconds(seconds)))
                        for key in 0..<100 { _ = breakers.breaker(for: 1_000 * seconds + key) }
                    }
                }
                try await group.waitForAll()
            }
            let last = breakers.configuration.openFor
            let kept = (0..<400) + (1...4).flatMap { 1_000 * $0..<1_000 * $0 + 100 }
            #expect(kept.allSatisfy { breakers.breaker(for: $0).configuration.openFor == last })
            #expect(breakers.overflowBreaker.configuration.openFor == last)
            #expect(own.configuration.openFor == .seconds(77))
        }
    }

    @Test func `whichever breaker can make room among many, a key that asks again gets it`() {
        let breakers = CircuitBreakers<Int>(name: "shops", maximumKeys: 1_024, clock: clock)
        var held = (0..<1_024).map { breakers.breaker(for: $0) }
        #expect(breakers.breaker(for: 5_000) === breakers.overflowBreaker)
        for round in 0..<40 {
            held.remove(at: (round * 7_919) % held.count)
            // 16 shards take turns, and 32 breakers of the one whose turn it is are looked at.
            let asked = (0..<200).first { _ in breakers.breaker(for: 10_000 + round) !== breakers.overflowBreaker }
            #expect(asked != nil)
            held.append(breakers.breaker(for: 10_000 + round))
            #expect(breakers.count == 1_024)
        }
        #expect(held.allSatisfy { $0 !== breakers.overflowBreaker })
        #expect(Set(held.map(ObjectIdentifier.init)).count == 1_024)
        #expect(breakers.snapshots().count == 1_024)
    }

    @Test func `a key is compared only with one of the same hash`() {
        struct Collider: Hashable, Sendable {
            static let comparisons = Atomic(0)
            let number: Int

            func hash(into hasher: inout Hasher) { hasher.combine(number / 2) }

            static func == (a: Collider, b: Collider) -> Bool {
                comparisons.wrappingAdd(1, ordering: .relaxed)
                return a.number == b.number
            }
        }
        let breakers = CircuitBreakers<Collider>(name: "shops", maximumKeys: 2_000, clock: clock)
        let made = (0..<1_000).map { breakers.breaker(for: Collider(number: $0)) }
        Collider.comparisons.store(0, ordering: .relaxed)
        for number in 0..<1_000 { #expect(breakers.breaker(for: Collider(number: number)) === made[number]) }
        // Each with itself, and every second one with the other of its hash before.
        let comparisons = Collider.comparisons.load(ordering: .relaxed)
        #expect(comparisons == 1_500)
    }

    @Test(arguments: [100, 1_500])
    func `there are never more breakers than allowed, and all of them are used`(maximumKeys: Int) async {
        let breakers = CircuitBreakers<Int>(name: "shops", maximumKeys: maximumKeys, clock: clock)
        let held = await withTaskGroup(of: [Int: CircuitBreaker].self) { group in
            for worker in 0..<8 {
                group.addTask {
                    var mine: [Int: CircuitBreaker] = [:]
                    for number in 0..<2 * maximumKeys {
                        let key = (number * 7 + worker * 13) % (2 * maximumKeys)
                        let breaker = breakers.breaker(for: key)
                        if breaker !== breakers.overflowBreaker { mine[key] = breaker }
                        if breakers.count > maximumKeys { Issue.record("\(breakers.count) breakers") }
                    }
                    return mine
                }
            }
            return await group.reduce(into: [[Int: CircuitBreaker]]()) { $0.append($1) }
        }
        #expect(breakers.snapshots().count == maximumKeys)
        // Everybody who holds a key's breaker holds the same one.
        for (key, breaker) in held.joined() { #expect(breakers.existingBreaker(for: key) === breaker) }
    }

    @Test func `a key that somebody else gives a breaker while room is made for it has one breaker`() {
        let clock = HookedClock()
        let breakers = CircuitBreakers<Int>(name: "shops", maximumKeys: 1_024, clock: clock)
        // No breaker of the first shard can make room, and all others can.
        func isOfFirstShard(_ key: Int) -> Bool { (key.hashValue >> 40) & 15 == 0 }
        var held = (0..<1_024).map { ($0, breakers.breaker(for: $0)) }.filter { isOfFirstShard($0.0) }
        var collisions = 0
        var fillers = (10_000...).lazy.filter { !isOfFirstShard($0) }.makeIterator()
        for key in (1_024...).lazy.filter(isOfFirstShard).prefix(40) {
            while breakers.count < 1_024, let filler = fillers.next() { _ = breakers.breaker(for: filler) }
            // The clock is read where another shard looks for a breaker that can make room.
            let between = Locked<CircuitBreaker?>(nil)
            clock.atNextReading {
                let breaker = breakers.breaker(for: key)
                between.withLock { $0 = breaker }
            }
            let breaker = breakers.breaker(for: key)
            clock.atNextReading {}
            // When it is the turn of the first shard itself nothing is found.
            guard breaker !== breakers.overflowBreaker else { continue }
            held.append((key, breaker))
            #expect(breakers.count == breakers.snapshots().count)
            guard let other = between.withLock({ $0 }), other !== breakers.overflowBreaker else { continue }
            #expect(other === breaker)
            collisions += 1
        }
        #expect(collisions > 20)
        #expect(held.allSatisfy { breakers.existingBreaker(for: $0.0) === $0.1 })
    }

    @Test func `no result is lost while breakers come and go`() async {
        let breakers = CircuitBreakers<Int>(
            name: "shops", configuration: .init(window: .time(.seconds(60)), failureRateThreshold: nil),
            maximumKeys: 4, clock: clock)
        let counted = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    (0..<2_000).count { number in
                        let breaker = breakers.breaker(for: (worker * 31 + number) % 9)
                        guard breaker !== breakers.overflowBreaker else { return false }
                        try? breaker.acquire().settle(number % 3 == 0 ? .failure : .success)
                        return true
                    }
                }
            }
            return await group.reduce(0, +)
        }
        // Nobody who has a result is as good as new, so nobody who has one has made room.
        let sum = breakers.snapshots().values.reduce(0) { $0 + $1.counts.calls }
        #expect(sum == counted)
    }

    @Test func `a registry without room stops the program and says why`() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = CircuitBreakers<Int>(name: "shops", maximumKeys: 0)
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(message.contains("at least 1 key, not for 0"))
    }

    @Test func `B23 outliers are below the mean by 1.9 standard deviations, and few`() throws {
        let breakers = CircuitBreakers<String>(
            name: "hosts", configuration: .init(failureRateThreshold: nil, consecutiveFailures: 1_000), clock: clock)
        func report(_ host: String, _ successes: Int, of calls: Int = 100) throws {
            let breaker = breakers.breaker(for: host)
            for number in 0..<calls {
                try breaker.acquire().settle(number < successes ? .success : .failure)
            }
        }
        for host in ["a", "b", "c", "d"] { try report(host, 100) }
        #expect(breakers.outliers() == [])
        // The mean is 90, the standard deviation 20, the threshold 52.
        try report("e", 50)
        #expect(breakers.outliers() == ["e"])
        #expect(breakers.outliers(factor: 2) == [])
        #expect(breakers.outliers(minimumKeys: 6) == [])
        #expect(breakers.outliers(minimumCalls: 101) == [])
        // Who has not counted enough is in neither the mean nor the answer.
        try report("f", 0, of: 99)
        #expect(breakers.outliers() == ["e"])
        // The worst first, and no more than a share of all that are not closed, but one.
        for number in 0..<20 { try report("good \(number)", 100) }
        try report("g", 20)
        #expect(breakers.outliers() == ["g", "e"])
        #expect(breakers.outliers(maximumShare: 0) == ["g"])
        breakers.breaker(for: "g").isolate(for: .seconds(30))
        #expect(breakers.outliers() == ["e"])
        // The one that may always be out is out, and with it a share of 1 in 27.
        for share in [0, 0.03, 0.07] { #expect(breakers.outliers(maximumShare: share) == []) }
        #expect(breakers.outliers(maximumShare: 0.08) == ["e"])
        // One that refuses nothing is not out.
        breakers.breaker(for: "good 1").disable()
        breakers.breaker(for: "good 2").measureOnly()
        #expect(breakers.outliers() == ["e"])
        // One that is isolated is, half-open or open as well.
        let other = breakers.breaker(for: "good 3")
        other.isolate(for: .seconds(1))
        #expect(other.state == .isolated && breakers.outliers() == [])
        clock.advance(by: .seconds(1))
        try other.acquire().ignore()
        #expect(other.state == .halfOpen && breakers.outliers() == [])
        try other.acquire().settle(.unavailable(for: .seconds(9)))
        #expect(other.state == .open && breakers.outliers() == [])
        other.reset()
        #expect(breakers.outliers() == ["e"])
        // Where all are alike, nobody is an outlier.
        let failing = CircuitBreakers<Int>(
            name: "hosts", configuration: .init(failureRateThreshold: nil, rule: nil), clock: clock)
        for host in 0..<9 { for _ in 0..<100 { try failing.breaker(for: host).acquire().fail() } }
        #expect(failing.outliers() == [])
        #expect(CircuitBreakers<Int>(name: "none").outliers(minimumKeys: 0) == [])
    }
}

/// A clock that does something when it is read.
private final class HookedClock: Clock {
    private let clock = ManualClock()
    private let hook = Locked<(@Sendable () -> Void)?>(nil)

    var now: ManualClock.Instant {
        let body = hook.withLock { hook in
            defer { hook = nil }
            return hook
        }
        body?()
        return clock.now
    }

    var minimumResolution: Duration { .zero }

    func sleep(until deadline: ManualClock.Instant, tolerance: Duration?) async throws {
        try await clock.sleep(until: deadline, tolerance: tolerance)
    }

    func atNextReading(_ body: @escaping @Sendable () -> Void) { hook.withLock { $0 = body } }
}
