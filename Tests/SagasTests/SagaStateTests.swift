// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Testing

@testable import Sagas

/// One input to the core, as tables write it.
enum Input: Hashable, Sendable, CustomTestStringConvertible {
    case resume
    case done
    case fails(SagaErrorKind)
    case cancelled(notApplied: Bool)
    case probe(SagaProbeAnswer)
    case probeFails
    case undone
    case undoFails

    var testDescription: String { "\(self)" }
}

extension SagaState {
    static func failure(_ step: String) -> SagaFailure {
        SagaFailure(step: step, errorType: "Declined", message: "no")
    }

    /// A saga of steps a, b, c…: r re-executes, p probes, k parks; a capital letter has nothing to undo.
    init(_ rules: String) {
        self.init(
            steps: zip("abcdefgh", rules).map { name, rule in
                SagaStepTraits(
                    name: String(name),
                    ifUnknown: rule.lowercased() == "r" ? .reexecute : rule.lowercased() == "p" ? .probe : .park,
                    isCompensable: rule.isLowercase)
            })
    }

    /// The step that the phase is about.
    var stepName: String {
        switch phase {
        case .running(let step, _, _), .probing(let step, _, _, _), .compensating(let step, _, _),
            .stuck(let step, _, _):
            steps[step].name
        case .completed, .compensated: "-"
        }
    }

    mutating func take(_ input: Input) -> Decision? {
        switch input {
        case .resume: return resume()
        case .done: return stepSucceeded()
        case .fails(let kind): return stepFailed(kind, Self.failure(stepName))
        case .cancelled(let notApplied):
            interrupted(notApplied: notApplied)
            return nil
        case .probe(let answer): return probeAnswered(answer)
        case .probeFails: return probeFailed(Self.failure("probe"), maxAttempts: 3)
        case .undone: return compensationSucceeded()
        case .undoFails: return compensationFailed(Self.failure("undo"), maxAttempts: 3)
        }
    }

    /// What comes next, in short: `+b2` is the second call of b's action, `-b1` the first of its compensation.
    func text(_ next: Next) -> String {
        switch next {
        case .perform(let step, let attempt): return "+\(steps[step].name)\(attempt)"
        case .probe(let step): return "?\(steps[step].name)"
        case .compensate(let step, let attempt): return "-\(steps[step].name)\(attempt)"
        case .retryLater(let attempt): return "later\(attempt)"
        case .stop:
            switch phase {
            case .completed: return "completed"
            case .compensated(let failure): return "compensated(\(failure.step))"
            case .stuck(_, _, let stuck): return "stuck(\(stuck.reason), \(stuck.step))"
            case .running, .probing, .compensating: return "let go"
            }
        }
    }
}

@Suite struct SagaStateTests {
    typealias Row = (rules: String, inputs: [Input], next: [String])

    static let rows: [Row] = [
        // The way forward.
        ("rpk", [.resume, .done, .done, .done], ["+a1", "+b1", "+c1", "completed"]),
        ("r", [.resume, .done], ["+a1", "completed"]),
        // A crash, a lost lease or our own cancellation in the middle of the action.
        ("rr", [.resume, .done, .resume, .done], ["+a1", "+b1", "+b2", "completed"]),
        ("rp", [.resume, .done, .resume, .probe(.applied)], ["+a1", "+b1", "?b", "completed"]),
        ("rp", [.resume, .done, .resume, .probe(.notApplied), .done], ["+a1", "+b1", "?b", "+b2", "completed"]),
        ("rp", [.resume, .done, .resume, .probe(.unknown)], ["+a1", "+b1", "?b", "stuck(outcomeUnknown, b)"]),
        ("rk", [.resume, .done, .resume], ["+a1", "+b1", "stuck(outcomeUnknown, b)"]),
        // The action throws an error that says nothing of its effect.
        ("rr", [.resume, .done, .fails(.unknown), .undone, .undone], ["+a1", "+b1", "-b1", "-a1", "compensated(b)"]),
        ("rp", [.resume, .done, .fails(.unknown), .probe(.applied)], ["+a1", "+b1", "?b", "completed"]),
        (
            "rp", [.resume, .done, .fails(.unknown), .probe(.notApplied), .undone],
            ["+a1", "+b1", "?b", "-a1", "compensated(b)"]
        ),
        (
            "rp", [.resume, .done, .fails(.unknown), .probe(.unknown)],
            ["+a1", "+b1", "?b", "stuck(outcomeUnknown, b)"]
        ),
        ("rk", [.resume, .done, .fails(.unknown)], ["+a1", "+b1", "stuck(outcomeUnknown, b)"]),
        // It throws one that proves that it took no effect.
        ("rr", [.resume, .done, .fails(.notApplied), .undone], ["+a1", "+b1", "-a1", "compensated(b)"]),
        ("rp", [.resume, .done, .fails(.notApplied), .undone], ["+a1", "+b1", "-a1", "compensated(b)"]),
        ("rk", [.resume, .done, .fails(.notApplied), .undone], ["+a1", "+b1", "-a1", "compensated(b)"]),
        ("k", [.resume, .fails(.notApplied)], ["+a1", "compensated(a)"]),
        // It throws one that is final but may have come half-way.
        ("rr", [.resume, .done, .fails(.failed), .undone, .undone], ["+a1", "+b1", "-b1", "-a1", "compensated(b)"]),
        ("rp", [.resume, .done, .fails(.failed), .undone, .undone], ["+a1", "+b1", "-b1", "-a1", "compensated(b)"]),
        ("rk", [.resume, .done, .fails(.failed), .undone, .undone], ["+a1", "+b1", "-b1", "-a1", "compensated(b)"]),
        // That a second call took no effect says nothing of the first, unless a probe has ruled that out.
        (
            "rr", [.resume, .done, .resume, .fails(.notApplied), .undone, .undone],
            ["+a1", "+b1", "+b2", "-b1", "-a1", "compensated(b)"]
        ),
        (
            "rp", [.resume, .done, .resume, .probe(.notApplied), .fails(.notApplied), .undone],
            ["+a1", "+b1", "?b", "+b2", "-a1", "compensated(b)"]
        ),
        // Our own cancellation counts no attempt, and a call that certainly took no effect leaves nothing to ask.
        ("r", [.resume, .cancelled(notApplied: false), .resume], ["+a1", "+a1"]),
        ("k", [.resume, .cancelled(notApplied: false), .resume], ["+a1", "stuck(outcomeUnknown, a)"]),
        ("k", [.resume, .cancelled(notApplied: true), .resume, .done], ["+a1", "+a1", "completed"]),
        (
            "r", [.resume, .resume, .cancelled(notApplied: true), .resume, .fails(.notApplied)],
            ["+a1", "+a2", "+a2", "-a1"]
        ),
        ("p", [.resume, .resume, .cancelled(notApplied: false), .resume], ["+a1", "?a", "?a"]),
        // Steps with nothing to undo are passed over.
        (
            "rRr", [.resume, .done, .done, .fails(.notApplied), .undone],
            ["+a1", "+b1", "+c1", "-a1", "compensated(c)"]
        ),
        ("RRR", [.resume, .done, .fails(.failed)], ["+a1", "+b1", "compensated(b)"]),
        // A compensation that is interrupted is called again; one that fails is called again later, or is stuck.
        ("r", [.resume, .fails(.failed), .resume, .undone], ["+a1", "-a1", "-a2", "compensated(a)"]),
        (
            "r", [.resume, .fails(.failed), .undoFails, .resume, .undoFails, .resume, .undoFails],
            ["+a1", "-a1", "later1", "-a2", "later2", "-a3", "stuck(compensationFailed, a)"]
        ),
        (
            "p", [.resume, .resume, .probeFails, .resume, .probeFails, .resume, .probeFails],
            ["+a1", "?a", "later1", "?a", "later2", "?a", "stuck(probeFailed, a)"]
        ),
        // What the failure was is kept while the probe is asked again.
        (
            "rp", [.resume, .done, .fails(.unknown), .probeFails, .resume, .probe(.notApplied), .undone],
            ["+a1", "+b1", "?b", "later1", "?b", "-a1", "compensated(b)"]
        ),
        // Final phases stay.
        ("r", [.resume, .done, .resume], ["+a1", "completed", "completed"]),
        ("r", [.resume, .fails(.notApplied), .resume], ["+a1", "compensated(a)", "compensated(a)"]),
        ("k", [.resume, .resume, .resume], ["+a1", "stuck(outcomeUnknown, a)", "stuck(outcomeUnknown, a)"]),
    ]

    @Test(arguments: rows)
    func `a row of the rules`(row: Row) {
        var state = SagaState(row.rules)
        var next: [String] = []
        for input in row.inputs {
            if let decision = state.take(input) { next.append(state.text(decision.next)) }
        }
        #expect(next == row.next)
    }

    /// Inputs that the phase can get, after a decision that asked for `next`.
    static func possible(_ next: SagaState.Next) -> [Input] {
        switch next {
        case .perform:
            [.done, .resume, .cancelled(notApplied: true), .cancelled(notApplied: false)]
                + [.notApplied, .failed, .unknown].map(Input.fails)
        case .probe:
            [.resume, .cancelled(notApplied: false), .probeFails] + [.applied, .notApplied, .unknown].map(Input.probe)
        case .compensate: [.undone, .undoFails, .resume]
        case .retryLater, .stop: [.resume]
        }
    }

    @Test func `on every way, steps end in order and are undone in reverse, and the bytes tell the phase`() throws {
        for seed in UInt64(1)...400 {
            var random = RandomSource.seeded(seed)
            let rules = String(
                (0..<Int.random(in: 1...6, using: &random)).map { _ in "rpkRP".randomElement(using: &random)! })
            var state = SagaState(rules)
            var outcomes: [SagaStepOutcome] = []
            var next = SagaState.Next.stop
            for _ in 0..<60 {
                guard let input = Self.possible(next).randomElement(using: &random) else { break }
                if let decision = state.take(input) {
                    outcomes += [decision.outcome].compactMap { $0 }
                    next = decision.next
                } else {
                    next = .retryLater(attempt: 0)
                }
                var writer = ByteWriter()
                state.phase.write(to: &writer)
                var reader = ByteReader(writer.bytes)
                let phase = try SagaState.Phase(from: &reader, steps: state.steps.count)
                #expect(phase == state.phase && reader.remaining == 0, "seed \(seed)")
            }
            for outcome in outcomes { #expect(try SagaStepOutcome(decoding: outcome.encoded) == outcome) }
            let succeeded = outcomes.filter { $0.result == .succeeded }.map(\.step)
            let undone = outcomes.filter { $0.result == .compensated }.map(\.step)
            #expect(succeeded == state.steps.prefix(succeeded.count).map(\.name), "seed \(seed)")
            #expect(undone == undone.sorted(by: >) && Set(undone).count == undone.count, "seed \(seed)")
            if case .compensated = state.phase {
                let open = Set(succeeded).union(outcomes.filter { $0.result == .failed }.map(\.step))
                #expect(
                    Set(undone) == open.intersection(state.steps.filter(\.isCompensable).map(\.name)), "seed \(seed)")
            }
            if case .completed = state.phase {
                #expect(undone.isEmpty && succeeded.count == rules.count, "seed \(seed)")
            }
        }
    }

    @Test func `no damage to a header traps`() throws {
        let failure = SagaState.failure("b")
        let phases: [SagaState.Phase] = [
            .running(step: 1, attempts: 3, .calledAgain), .probing(step: 0, attempts: 1, failure: failure, probes: 2),
            .compensating(step: 1, attempts: 1, failure), .completed, .compensated(failure),
            .stuck(
                step: 0, attempts: 1,
                SagaStuck(reason: .compensationFailed, step: "a", failure: failure, lastError: failure)),
        ]
        for phase in phases {
            let shape = SagaShape(name: "checkout", version: 2, steps: ["a", "b"])
            let header = SagaHeader(shape: shape, input: [1, 2], phase: phase)
            let bytes = header.encoded
            #expect(try SagaHeader(decoding: bytes) == header)
            for length in 0..<bytes.count {
                #expect(throws: MalformedBytes.self) { try SagaHeader(decoding: Array(bytes[..<length])) }
            }
            #expect(throws: MalformedBytes.self) { try SagaHeader(decoding: [2] + bytes.dropFirst()) }
            for index in bytes.indices {
                var damaged = bytes
                damaged[index] ^= 0xFF
                guard let read = try? SagaHeader(decoding: damaged) else { continue }
                var state = SagaState(steps: SagaState("rp").steps, phase: read.phase)
                if read.shape.steps.count == 2 { _ = state.resume() }
            }
        }
    }
}
