// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CircuitBreaking
internal import Retrying

/// What is the same for every way of trying again.
struct Scenario {
    var seed: UInt64 = 1
    /// How many clients there are; each process has a hundred of them, who share its budget and its breaker.
    var clients = 10_000
    /// The seconds in which clients begin new calls.
    var duration = 150
    /// The seconds in which the server answers nobody.
    var outage = 30..<60
    /// How many requests the server can serve in a second.
    var capacity = 1_150
    /// How long a client waits between two calls, on average.
    var pause = Duration.seconds(10)
    /// How long a request takes, there and back.
    var latency = Duration.milliseconds(10)

    var processes: Int { (clients + 99) / 100 }
}

/// A way of trying again: each of them adds something to the one before.
enum Strategy: String, CaseIterable {
    case constant = "constant delay"
    case exponential = "exponential"
    case jitter = "+ jitter"
    case budget = "+ budget"
    case breaker = "+ breaker"
}

/// One process of a hundred clients: what they share.
struct ClientProcess {
    let retry: Retry
    let breaker: CircuitBreaker?

    init(_ strategy: Strategy, number: Int, _ scenario: Scenario, _ time: VirtualTime) {
        let backoff: Backoff =
            switch strategy {
            case .constant: .constant(.seconds(1))
            case .exponential: .exponential(initial: .milliseconds(500), maximum: .seconds(16), jitter: .none)
            // Full jitter halves the mean.
            case .jitter, .budget, .breaker: .exponential(initial: .seconds(1), maximum: .seconds(32))
            }
        let seed = scenario.seed &* 1_000_003 &+ UInt64(number)
        let hasBudget = strategy == .budget || strategy == .breaker
        retry = Retry(
            maxAttempts: 8, backoff: backoff, repeatability: .idempotent,
            budget: hasBudget ? RetryBudget(ratio: 0.2, minimumPerSecond: 1, clock: time) : nil, clock: time,
            randomness: .seeded(seed))
        let configuration = CircuitBreaker.Configuration(
            window: .calls(20), minimumCalls: 10, openFor: .seconds(5),
            growth: .init(factor: 1.5, maximum: .seconds(10), jitter: 0.5))
        breaker =
            strategy == .breaker
            ? CircuitBreaker(
                name: "server", configuration: configuration, clock: time, randomness: .seeded(~seed)) : nil
    }

    /// One call, however many requests it takes.
    func call(_ server: Server) async throws {
        try await retry.run {
            guard let breaker else { return try await server.request() }
            try await breaker.run { try await server.request() }
        }
    }
}

/// Ten thousand clients and one server.
struct Storm {
    let strategy: Strategy
    /// What has come to the server, second by second.
    let seconds: [Server.Second]
    let callsSucceeded: Int
    let callsFailed: Int
    let scenario: Scenario

    init(_ strategy: Strategy, _ scenario: Scenario) {
        let time = VirtualTime()
        let server = Server(scenario, time)
        let calls = Calls()
        let processes = (0..<scenario.processes).map { ClientProcess(strategy, number: $0, scenario, time) }
        let end = VirtualTime.Instant().advanced(by: .seconds(scenario.duration))
        let failure = VirtualTime.Instant().advanced(by: .seconds(scenario.outage.lowerBound))
        for number in 0..<scenario.clients {
            let process = processes[number / 100]
            Task(executorPreference: time) {
                var pauses = Pauses(mean: scenario.pause, .seeded(scenario.seed ^ UInt64(number) << 32))
                while true {
                    var next = time.now.advanced(by: pauses.next())
                    // When the server fails every connection breaks, and every client asks at once.
                    if time.now < failure { next = min(next, failure) }
                    try? await time.sleep(until: next, tolerance: nil)
                    guard time.now < end else { return }
                    do {
                        try await process.call(server)
                        calls.count(true)
                    } catch {
                        calls.count(false)
                    }
                }
            }
        }
        time.run()
        self.strategy = strategy
        self.scenario = scenario
        seconds = server.seconds
        (callsSucceeded, callsFailed) = calls.counts
    }
}
