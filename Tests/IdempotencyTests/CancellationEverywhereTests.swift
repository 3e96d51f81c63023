// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting
import Testing

/// The caller is cancelled at the first of its suspensions, at the second, and so on, and each time key and provider agree.
@Suite struct CancellationEverywhereTests {
    /// What stands under the key before the call.
    enum Before: String, CaseIterable, Sendable { case free, unknown, completed, inFlight }

    enum Policy: String, CaseIterable, Sendable { case park, reexecute, probeApplied, probeNotApplied }

    struct Case: Sendable, CustomStringConvertible {
        let kind: CancellationBench.Kind
        let before: Before
        let policy: Policy
        let end: HandlerEnd
        var description: String { "\(kind), \(before), \(policy), \(end)" }
    }

    static let cases = CancellationBench.Kind.allCases.flatMap { kind in
        Before.allCases.flatMap { before in
            Policy.allCases.flatMap { policy in
                HandlerEnd.allCases.compactMap { end -> Case? in
                    // The policy counts after an unknown outcome alone, and an end where a handler runs.
                    let isPlain = before == .completed || before == .inFlight
                    if before != .unknown, policy != .park || isPlain && end != .value { return nil }
                    return Case(kind: kind, before: before, policy: policy, end: end)
                }
            }
        }
    }

    @Test func `a caller may be cancelled at every suspension`() throws {
        var count = 0
        for each in Self.cases {
            var number = 0
            while try check(each, cancellingAt: number) {
                number += 1
                guard number < 500 else {
                    Issue.record("\(each) does not end")
                    break
                }
            }
            #expect(number > 3, "\(each) suspended \(number) times")
            count += number
        }
        #expect(count > 500, "\(count) suspensions")
    }

    /// Whether the call had not ended before it was to be cancelled.
    private func check(_ each: Case, cancellingAt number: Int) throws -> Bool {
        let bench = try CancellationBench(each.kind)
        let policy: UnknownPolicy<String> =
            switch each.policy {
            case .park: .park
            case .reexecute: .reexecute
            case .probeApplied:
                .probe { _ in
                    await Task.yield()
                    return .applied("first")
                }
            case .probeNotApplied:
                .probe { _ in
                    await Task.yield()
                    return .notApplied
                }
            }
        let operation = bench.operation(policy, ifInFlight: .wait(upTo: .seconds(60)))
        var first: ManualExecutor.Pending<IdempotentResult<String>>?
        if each.before != .free {
            let pending = bench.executor.start {
                try await bench.ask(
                    operation, "first", each.before == .unknown ? .timeout : .value,
                    pause: each.before == .inFlight ? .seconds(25) : nil)
            }
            first = pending
            let isInFlight = each.before == .inFlight
            while isInFlight ? bench.begun.all.isEmpty : pending.value == nil { bench.step() }
        }
        let pending = bench.executor.start { try await bench.ask(operation, "second", each.end) }
        var steps = 0
        var isCancelled = false
        while pending.value == nil {
            if steps == number {
                pending.cancel()
                isCancelled = true
            }
            steps += 1
            guard bench.step() else {
                Issue.record("\(each), cancelled at \(number): the call hangs")
                return false
            }
        }
        while let first, first.value == nil, bench.step() {}
        // A cancelled sleeper still has to go.
        bench.executor.runUntilIdle()
        let what: Comment = "\(each), cancelled at \(number): \(String(describing: pending.value))"
        #expect(bench.clock.sleeperCount == 0, what)
        if let first { #expect(first.value != nil, what) }
        if let value = pending.value { try compare(each, bench, value, isCancelled, what) }
        return isCancelled
    }

    private func compare(
        _ each: Case, _ bench: CancellationBench, _ result: Result<IdempotentResult<String>, any Error>,
        _ isCancelled: Bool, _ what: Comment
    ) throws {
        let ran = bench.begun.all.contains("second")
        let entry = try bench.entry()
        let isCompleted = if case .completed? = entry?.state { true } else { false }
        let isUnknown = if case .unknown? = entry?.state { true } else { false }
        // What was there before, if nothing was added to it.
        let before: Bool =
            switch each.before {
            case .free: entry == nil
            case .unknown: isUnknown
            case .completed, .inFlight: isCompleted
            }
        switch result {
        case .success(let result):
            #expect(isCompleted && (result.value == "second") == ran, what)
        case .failure(let error) where !ran:
            // A probe's finding may have been stored.
            #expect(before || each.policy == .probeApplied && isCompleted, what)
            #expect(error is CancellationError || error is IdempotencyOutcomeUnknown, what)
            #expect(isCancelled || each.policy == .park, what)
        case .failure(let error):
            switch each.end {
            case .value: Issue.record("the settlement is not stored: \(what)")
            case .refusal:
                let isFreed = each.before == .free
                #expect(error is CardRefused, what)
                // What a predecessor did before its checkpoint is not known to be undone.
                #expect(isFreed ? entry == nil : isUnknown, what)
            case .cancellation: #expect(error is CancellationError && isUnknown, what)
            case .timeout: #expect(error is ProviderTimeout && isUnknown, what)
            }
        }
        let effects = bench.effects.all.count { $0 == "second" }
        #expect(effects == (ran && (each.end == .value || each.end == .timeout || !isStopped(result)) ? 1 : 0), what)
        let isOutcome = if case .success(let value) = result { value.value == "second" } else { false }
        #expect(try bench.hasOrder("second") == isOutcome, what)
    }

    /// Whether the handler stopped before its effect.
    private func isStopped(_ result: Result<IdempotentResult<String>, any Error>) -> Bool {
        if case .failure = result { true } else { false }
    }
}
