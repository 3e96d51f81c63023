// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import CircuitBreaking
import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

/// Many tasks on one breaker at once.
@Suite struct CircuitBreakerStressTests {
    typealias Settings = CircuitBreaker.Configuration
    private let workers = 64

    private static let settings: [Settings] = [
        Settings(window: .calls(1_000_000), failureRateThreshold: nil),
        Settings(window: .time(.seconds(3_600)), failureRateThreshold: nil),
        Settings(
            window: .calls(1_000_000), failureRateThreshold: nil,
            slowCalls: .init(longerThan: .seconds(1), rateThreshold: 1)),
        Settings(window: .calls(1_000_000), minimumCalls: 1_000_000, forgetAfter: .seconds(3_600)),
        // Good results may open it up to the minimum, so that they go through the lock until then.
        Settings(window: .calls(1_000_000), minimumCalls: 20_000, failureRateThreshold: 0.99),
    ]

    @Test(arguments: settings.indices)
    func `no result is lost or counted twice`(row: Int) async {
        #if TSAN
        let calls = 200
        #else
        let calls = 1_000
        #endif
        let breaker = CircuitBreaker(name: "provider", configuration: Self.settings[row], clock: ManualClock())
        await withTaskGroup { group in
            for worker in 0..<workers {
                group.addTask {
                    for call in 0..<calls {
                        switch (worker + call) % 8 {
                        case 0: try? breaker.acquire().fail()
                        case 1: try? breaker.acquire().ignore()
                        case 2: _ = try? await breaker.run { throw Broken() }
                        case 3: (try? breaker.acquire())?.detach().succeed()
                        // Whoever looks stops the tallying for a moment.
                        case 4: _ = breaker.snapshot
                        default: try? await breaker.run {}
                        }
                    }
                }
            }
        }
        let counts = breaker.snapshot.counts
        #expect(counts.calls == workers * calls * 6 / 8)
        #expect(counts.failures == workers * calls * 2 / 8)
        #expect(counts.slowCalls == 0)
        #expect(breaker.snapshot.generation == 1)
    }

    @Test func `however many calls come at once, only the probes pass, and every other is counted as refused`() async {
        let clock = ManualClock()
        let probes = 3
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: .calls(1), openFor: .seconds(1), probes: .init(probes)),
            clock: clock)
        for round in 1...20 {
            try? breaker.acquire().fail()
            func knock() async -> [DetachedPermit] {
                await withTaskGroup(of: [DetachedPermit].self) { group in
                    for _ in 0..<workers {
                        group.addTask { (0..<50).compactMap { _ in try? breaker.acquire().detach() } }
                    }
                    return await group.reduce(into: []) { $0 += $1 }
                }
            }
            #expect(await knock().isEmpty, "round \(round)")
            #expect(breaker.snapshot.rejected == workers * 50, "round \(round)")
            clock.advance(by: .seconds(1))
            let permits = await knock()
            #expect(permits.count == probes, "round \(round)")
            #expect(breaker.snapshot.rejected == workers * 50 - probes, "round \(round)")
            await withTaskGroup { group in
                for permit in permits { group.addTask { _ = permit.succeed() } }
            }
            for permit in permits { permit.ignore() }
            #expect(breaker.state == .closed, "round \(round)")
        }
    }

    @Test func `changes made by many calls at once are reported each once and in order`() async {
        let clock = ManualClock()
        let recorder = Recorder()
        let breaker = CircuitBreaker(
            name: "provider",
            configuration: .init(window: .calls(3), openFor: .nanoseconds(1), probes: .init(2)), clock: clock
        ) { event in
            if case .changed = event.kind { recorder.record(event) }
        }
        await withTaskGroup { group in
            for worker in 0..<workers {
                group.addTask {
                    for call in 0..<300 {
                        clock.advance(by: .nanoseconds(1))
                        if call % 97 == 96 { breaker.reset() }
                        guard let permit = try? breaker.acquire().detach() else { continue }
                        _ = (worker + call / 7) % 2 == 0 ? permit.fail() : permit.succeed()
                    }
                }
            }
        }
        let last = breaker.snapshot.generation
        #expect(last > 1)
        #expect(recorder.events.map(\.generation) == (last > 1 ? Array(2...last) : []))
        // Each starts in the state in which the one before ended.
        let changes = recorder.changes
        #expect(changes.first?.from == .closed)
        #expect(zip(changes, changes.dropFirst()).allSatisfy { $0.to == $1.from })
    }

    @Test func `operators, new settings and calls do not get into each other's way`() async {
        let clock = ManualClock()
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: .calls(9), openFor: .nanoseconds(5)), clock: clock)
        let settings =
            Self.settings + [
                Settings(window: .calls(9), openFor: .nanoseconds(5)),
                Settings(window: .time(.nanoseconds(50)), minimumCalls: 1, openFor: .nanoseconds(5)),
            ]
        await withTaskGroup { group in
            for worker in 0..<workers {
                group.addTask {
                    for call in 0..<300 {
                        clock.advance(by: .nanoseconds(1))
                        switch (worker * 7 + call) % 32 {
                        case 0: breaker.isolate(for: .nanoseconds(3))
                        case 1: breaker.disable()
                        case 2: breaker.measureOnly()
                        case 3, 4, 5, 6: breaker.reset()
                        case 7, 8: try? breaker.reconfigure(settings[call % settings.count])
                        case 9: _ = breaker.peek()
                        default: try? breaker.acquire().settle(call % 3 == 0 ? .failure : .success)
                        }
                    }
                }
            }
        }
        breaker.reset()
        try? breaker.reconfigure(Self.settings[0])
        for _ in 0..<50 { try? breaker.acquire().succeed() }
        #expect(breaker.snapshot.counts == CircuitCounts(calls: 50))
    }
}
