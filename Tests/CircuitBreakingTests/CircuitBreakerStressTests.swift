// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

import CircuitBreaking

@Suite struct CircuitBreakerStressTests {
    private let workers = 8

    @Test func `no result is lost or counted twice under load`() async {
        let calls = 5_000
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: 1_000_000, minimumCalls: 1_000_000), clock: ManualClock())
        await withTaskGroup { group in
            for worker in 0..<workers {
                group.addTask {
                    for call in 0..<calls {
                        switch (worker + call) % 4 {
                        case 0: try? breaker.acquire().fail()
                        case 1: try? breaker.acquire().ignore()
                        case 2: _ = try? await breaker.run { throw Broken() }
                        default: try? await breaker.run {}
                        }
                    }
                }
            }
        }
        #expect(breaker.snapshot.calls == workers * calls * 3 / 4)
        #expect(breaker.snapshot.failures == workers * calls / 2)
        #expect(breaker.snapshot.generation == 1)
    }

    @Test func `however many calls come at once, only the probes pass`() async {
        let clock = ManualClock()
        let probes = 3
        let breaker = CircuitBreaker(
            name: "provider", configuration: .init(window: 1, openFor: .seconds(1), halfOpenProbes: probes),
            clock: clock)
        for round in 1...50 {
            try? breaker.acquire().fail()
            clock.advance(by: .seconds(1))
            let permits = await withTaskGroup(of: [DetachedPermit].self) { group in
                for _ in 0..<workers {
                    group.addTask { (0..<100).compactMap { _ in try? breaker.acquire().detach() } }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            #expect(permits.count == probes, "round \(round)")
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
            name: "provider", configuration: .init(window: 3, openFor: .nanoseconds(1), halfOpenProbes: 2),
            clock: clock
        ) { event in
            if case .rejected = event.kind { return }
            recorder.record(event)
        }
        await withTaskGroup { group in
            for worker in 0..<workers {
                group.addTask {
                    for call in 0..<2_000 {
                        clock.advance(by: .nanoseconds(1))
                        guard let permit = try? breaker.acquire().detach() else { continue }
                        _ = (worker + call / 7) % 2 == 0 ? permit.fail() : permit.succeed()
                    }
                }
            }
        }
        let last = breaker.snapshot.generation
        #expect(last > 1)
        #expect(recorder.events.map(\.generation) == (last > 1 ? Array(2...last) : []))
    }
}
