// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

import CircuitBreaking

/// A circuit breaker in the slowest and most obvious form: lists of results, and exact fractions.
private struct Model {
    enum Phase {
        case closed(results: [Bool])
        case open(until: Duration)
        case halfOpen(running: Int, results: [Bool])
    }

    let window: Int
    let minimum: Int
    let threshold: (failures: Int, of: Int)
    let openFor: Duration
    let probes: Int
    var phase = Phase.closed(results: [])
    var era: UInt64 = 1

    func isOver(_ failures: Int, of calls: Int) -> Bool { failures * threshold.of >= threshold.failures * calls }

    mutating func move(to next: Phase) {
        phase = next
        era += 1
    }

    /// Returns `nil` if the call may start, and otherwise how long to wait, if that is known.
    mutating func start(at now: Duration) -> Duration?? {
        switch phase {
        case .closed: return nil
        case .open(let deadline):
            if now < deadline { return .some(deadline - now) }
            move(to: .halfOpen(running: 1, results: []))
            return nil
        case .halfOpen(let running, let results):
            if running + results.count >= probes { return .some(nil) }
            phase = .halfOpen(running: running + 1, results: results)
            return nil
        }
    }

    /// A call that started in an era ends; `failed` is `nil` if it is ignored.
    mutating func end(startedIn callEra: UInt64, failed: Bool?, at now: Duration) {
        if callEra != era { return }
        switch phase {
        case .closed(var results):
            guard let failed else { return }
            results = Array((results + [failed]).suffix(window))
            phase = .closed(results: results)
            let failures = results.filter { $0 }.count
            if results.count >= min(minimum, window), isOver(failures, of: results.count) {
                move(to: .open(until: now + openFor))
            }
        case .open: break
        case .halfOpen(let running, var results):
            if let failed { results.append(failed) }
            phase = .halfOpen(running: running - 1, results: results)
            // Certain once the best and the worst that the missing results could be give the same verdict.
            let failures = results.filter { $0 }.count
            if isOver(failures, of: probes) {
                move(to: .open(until: now + openFor))
            } else if !isOver(failures + (probes - results.count), of: probes) {
                move(to: .closed(results: []))
            }
        }
    }

    var state: CircuitBreaker.State {
        switch phase {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// The counts of the present state; `nil` while open.
    var counts: (calls: Int, failures: Int)? {
        switch phase {
        case .closed(let results), .halfOpen(_, let results): (results.count, results.filter { $0 }.count)
        case .open: nil
        }
    }
}

@Suite struct CircuitBreakerModelTests {
    @Test func `a breaker does what the obvious model does, whatever starts and ends in whatever order`() {
        for seed in UInt64(1)...400 {
            var random = RandomSource.seeded(seed)
            let clock = ManualClock()
            let denominator = Int.random(in: 1...7, using: &random)
            var model = Model(
                window: .random(in: 1...70, using: &random), minimum: .random(in: 1...12, using: &random),
                threshold: (.random(in: 1...denominator, using: &random), denominator),
                openFor: .milliseconds(Int.random(in: 1...40, using: &random)),
                probes: .random(in: 1...5, using: &random))
            let breaker = CircuitBreaker(
                name: "model",
                configuration: .init(
                    window: model.window, minimumCalls: model.minimum,
                    failureRateThreshold: Double(model.threshold.failures) / Double(denominator),
                    openFor: model.openFor, halfOpenProbes: model.probes),
                clock: clock)
            var running: [(permit: DetachedPermit, era: UInt64)] = []
            for step in 0..<400 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0:
                    clock.advance(by: .milliseconds(Int.random(in: 0...30, using: &random)))
                case 1...4:
                    let expected = model.start(at: clock.now.offset)
                    do throws(CircuitOpen) {
                        running.append((try breaker.acquire().detach(), model.era))
                        #expect(expected == nil, "seed \(seed), step \(step): admitted")
                    } catch {
                        #expect(expected == .some(error.retryAfter), "seed \(seed), step \(step): refused")
                    }
                default:
                    guard !running.isEmpty else { continue }
                    let call = running.remove(at: .random(in: 0..<running.count, using: &random))
                    let failed = [true, false, nil][Int.random(in: 0..<3, using: &random)]
                    model.end(startedIn: call.era, failed: failed, at: clock.now.offset)
                    switch failed {
                    case true?: call.permit.fail()
                    case false?: call.permit.succeed()
                    case nil: call.permit.ignore()
                    }
                }
                let snapshot = breaker.snapshot
                let isSame =
                    snapshot.state == model.state && snapshot.generation == model.era
                    && (model.counts.map { $0 == (snapshot.calls, snapshot.failures) } ?? true)
                guard isSame else {
                    Issue.record("seed \(seed), step \(step): \(snapshot) is not \(model)")
                    return
                }
            }
            for call in running { call.permit.ignore() }
        }
    }
}
