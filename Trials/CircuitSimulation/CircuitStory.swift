// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CircuitBreaking
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Synchronization

/// A random sequence of what can be done with a circuit breaker, done with the breaker and with its model alike.
package struct CircuitStory {
    /// The breaker did something else than its model.
    package struct Difference: Error, CustomStringConvertible {
        package let description: String
    }

    /// How much was told, so that a run can show that everything came about.
    package struct Summary: Sendable {
        package var stories = 0
        package var steps = 0
        package var events: [String: Int] = [:]

        package init() {}

        package static func += (sum: inout Summary, other: Summary) {
            sum.stories += other.stories
            sum.steps += other.steps
            sum.events.merge(other.events, uniquingKeysWith: +)
        }

        /// The kinds of events that never came.
        package var missing: [String] {
            let changes = [
                "failureRate", "slowCallRate", "consecutiveFailures", "rule", "advice", "openTimeOver",
                "probesSucceeded", "probesFailed", "probesSlow", "probesTimedOut", "idle", "operation",
            ]
            let others = ["breached", "probeExpired", "reconfigured", "rejected", "lateResult", "permitDropped"]
            return (changes + others).filter { events[$0] == nil }
        }
    }

    private final class Log: Sendable {
        private let events = Mutex<[CircuitEvent]>([])

        @Sendable func record(_ event: CircuitEvent) { events.withLock { $0.append(event) } }

        func take() -> [CircuitEvent] {
            events.withLock { events in
                defer { events = [] }
                return events
            }
        }
    }

    private struct Running {
        let permit: DetachedPermit
        let call: BreakerModel.Call
    }

    private let seed: UInt64
    private var random: RandomSource
    private let clock = ManualClock()
    private let log = Log()
    private let breaker: CircuitBreaker
    private var model: BreakerModel
    private var running: [Running] = []
    private var summary = Summary()
    private var step = 0
    private var deed = ""
    /// What was told in this step.
    private var pending: [CircuitEvent] = []
    /// Of so many results, how many are bad.
    private let badOfTen: Int

    /// Tells the story of a seed: the same each time.
    ///
    /// - Throws: ``Difference`` at the first step at which breaker and model are not the same.
    package static func tell(seed: UInt64) throws -> Summary {
        var story = CircuitStory(seed)
        return try story.tell()
    }

    private init(_ seed: UInt64) {
        self.seed = seed
        random = .seeded(seed)
        let settings = ModelSettings(&random)
        badOfTen = Int.random(in: 1...8, using: &random)
        model = BreakerModel(settings)
        breaker = CircuitBreaker(
            name: "model", configuration: settings.configuration, clock: clock, randomness: .seeded(seed),
            onEvent: log.record)
    }

    private mutating func tell() throws -> Summary {
        summary.stories = 1
        let steps = Int.random(in: 20...80, using: &random)
        while step < steps {
            step += 1
            summary.steps += 1
            try takeStep()
            try compareEvents()
            // Not after every step: to look is to take the lock, and good results are then no longer kept outside it.
            if Int.random(in: 0..<5, using: &random) == 0 { try compareState() }
        }
        deed = "end"
        while !running.isEmpty {
            try end(at: 0, drawVerdict())
            try compareEvents()
        }
        try compareState()
        return summary
    }

    // MARK: Steps

    private mutating func takeStep() throws {
        switch Int.random(in: 0..<40, using: &random) {
        case 0..<6: advance()
        case 6..<18: try start()
        case 18..<31:
            guard !running.isEmpty else { return try start() }
            try end(at: .random(in: 0..<running.count, using: &random), drawVerdict())
        case 31..<34: try burst()
        case 34..<36: try peek()
        case 36: try operate()
        case 37: try reconfigure()
        default: try compareState()
        }
    }

    private mutating func advance() {
        deed = "advance"
        let spans: [Int] = [
            1, 5, 40, 200, model.settings.lease, model.settings.timeLimit ?? 0, model.settings.forgetAfter ?? 0,
            model.retryAfter ?? 0, (model.retryAfter ?? 1) - 1, (model.settings.slow?.over ?? 0) + 1,
        ]
        let index = Int.random(in: 0..<spans.count, using: &random)
        let span = index < 4 ? Int.random(in: 0...spans[index], using: &random) : spans[index]
        clock.advance(by: .nanoseconds(span))
        model.now += span
    }

    private mutating func start() throws {
        deed = "start"
        let permit = try? breaker.acquire().detach()
        drawFromEvents()
        let call = model.start()
        switch (permit, call) {
        case (let permit?, let call?): running.append(Running(permit: permit, call: call))
        case (nil, nil): break
        default:
            permit?.ignore()
            throw difference("the call \(permit == nil ? "was refused" : "passed")")
        }
    }

    /// Ends the running call at the index; without a verdict its permit is dropped.
    private mutating func end(at index: Int, _ verdict: CircuitVerdict?) throws {
        deed = "end \(verdict.map { "\($0)" } ?? "dropped")"
        let call = running[index].call
        if let verdict {
            let permit = running[index].permit
            guard permit.settle(verdict), !permit.settle(.failure) else {
                throw difference("the permit was not settled once")
            }
        }
        // The last reference, if it was not settled.
        running.remove(at: index)
        drawFromEvents()
        if let verdict { model.end(call, verdict) } else { model.drop(call) }
    }

    /// Some calls one after the other that all end well, which is what goes without the lock.
    private mutating func burst() throws {
        for _ in 0..<Int.random(in: 1...90, using: &random) {
            let before = running.count
            try start()
            guard running.count > before else { return }
            try end(at: before, .success)
            try compareEvents()
        }
    }

    private mutating func operate() throws {
        switch Int.random(in: 0..<6, using: &random) {
        case 0:
            deed = "isolate"
            breaker.isolate()
            drawFromEvents()
            model.isolate(for: nil)
        case 1, 2:
            let length = Int.random(in: -1...60, using: &random)
            deed = "isolate for \(length)"
            breaker.isolate(for: .nanoseconds(length))
            drawFromEvents()
            model.isolate(for: length)
        case 3:
            deed = "disable"
            breaker.disable()
            drawFromEvents()
            model.disable()
        case 4:
            deed = "measure only"
            breaker.measureOnly()
            drawFromEvents()
            model.measureOnly()
        default:
            deed = "reset"
            breaker.reset()
            drawFromEvents()
            model.reset()
        }
    }

    private mutating func reconfigure() throws {
        deed = "reconfigure"
        var settings = ModelSettings(&random)
        // Often the window stays, and its results with it.
        if Int.random(in: 0..<3, using: &random) > 0 {
            settings.window = model.settings.window
            if settings.slow == nil || model.settings.slow == nil { settings.slow = model.settings.slow }
        }
        do { try breaker.reconfigure(settings.configuration) } catch { throw difference("\(error)") }
        drawFromEvents()
        model.reconfigure(settings)
    }

    /// A verdict; `nil` if the permit is dropped.
    private mutating func drawVerdict() -> CircuitVerdict? {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: nil
        case 1, 2: .ignored
        case 3 where Int.random(in: 0..<3, using: &random) == 0:
            .unavailable(for: .nanoseconds(Int.random(in: 1...100, using: &random)))
        default: Int.random(in: 0..<10, using: &random) < badOfTen ? .failure : .success
        }
    }
}

// What is compared.
extension CircuitStory {
    private func difference(_ what: String) -> Difference {
        Difference(
            description: """
                seed \(seed), step \(step) (\(deed)) at \(model.now) ns: \(what)
                    breaker: \(breaker.snapshot)
                    model: \(model)
                """)
    }

    /// Hands the model the open times that the breaker drew in this step.
    private mutating func drawFromEvents() {
        pending += log.take()
        model.drawn = pending.compactMap { event in
            guard case .changed(let change) = event.kind, let openFor = change.openFor,
                change.reason != .advice, change.reason != .operation
            else { return nil }
            return Int(openFor.components.attoseconds / 1_000_000_000)
                + Int(openFor.components.seconds) * 1_000_000_000
        }
    }

    private mutating func compareEvents() throws {
        pending += log.take()
        defer {
            pending = []
            model.told = []
        }
        let (has, expected) = (pending.map { Told($0) }, model.told.map { Told($0) })
        for event in pending { summary.events[Self.label(event.kind), default: 0] += 1 }
        guard has == expected else {
            throw difference("told \(has) and not \(expected)")
        }
    }

    private func compareState() throws {
        var copy = model
        copy.pass()
        // What comes about by a drawn time cannot be foretold.
        if copy.era != model.era, (model.settings.growth?.jitter ?? 0) > 0 { return }
        let snapshot = breaker.snapshot
        let counts = copy.counts
        let isRated =
            switch copy.phase {
            case .closed, .metricsOnly: counts.calls >= copy.minimum
            case .open, .halfOpen, .isolated, .disabled: true
            }
        var halfOpen = false
        if case .halfOpen = copy.phase { halfOpen = true }
        let isSame =
            snapshot.state == copy.state && Int(snapshot.generation) == copy.era && snapshot.counts == counts
            && snapshot.reason == copy.reason && snapshot.openings == copy.openings
            && snapshot.failureRate == (isRated ? counts.failureRate : nil)
            && snapshot.slowCallRate == (isRated ? counts.slowCallRate : nil)
            && snapshot.runningProbes == (halfOpen ? copy.places.count : 0)
            && snapshot.retryAfter == copy.retryAfter.map { .nanoseconds($0) }
            && (snapshot.rejected == copy.rejected || copy.era != model.era)
        if !isSame { throw difference("looks different; after time has passed the model is \(copy)") }
    }

    private func peek() throws {
        var copy = model
        copy.told = []
        copy.pass()
        if copy.era != model.era, (model.settings.growth?.jitter ?? 0) > 0 { return }
        let passes = copy.start() != nil
        var expected: CircuitOpen?
        if !passes, case .rejected(let retryAfter)? = copy.told.last?.kind {
            expected = CircuitOpen(name: "model", retryAfter: retryAfter, state: copy.state)
        }
        let refusal = breaker.peek()
        if refusal != expected { throw difference("peek says \(String(describing: refusal))") }
    }

    /// An event without its name, for comparing and for reading.
    private struct Told: Equatable, CustomStringConvertible {
        let era: Int
        let kind: CircuitEvent.Kind

        init(_ event: CircuitEvent) { (era, kind) = (Int(event.generation), event.kind) }
        init(_ notice: BreakerModel.Notice) { (era, kind) = (notice.era, notice.kind) }

        var description: String { "\(era): \(kind)" }
    }

    private static func label(_ kind: CircuitEvent.Kind) -> String {
        switch kind {
        case .changed(let change):
            if case .rule = change.reason { "rule" } else { "\(change.reason)" }
        case .breached: "breached"
        case .probeExpired: "probeExpired"
        case .reconfigured: "reconfigured"
        case .rejected: "rejected"
        case .lateResult: "lateResult"
        case .permitDropped: "permitDropped"
        }
    }
}
