// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores

@testable import Sagas

/// The state of a saga, with inputs and answers as text.
///
/// Stages stand one after the other, steps of a group are joined by `|`. Behind its name a step has `!` if it is a pivot,
/// `*` if retriable, `?` if reading, `@` or `@10` if an event, `~10` if a timer; `:probe` or `:park` if that is its rule,
/// and `<60` if that is its time limit.
///
/// An answer is what is kept, then what is called, then `...` if something is still under way and nothing new, or what
/// the saga rests in.
struct StateBench {
    private(set) var state: SagaState
    private let deadline: Timestamp?
    private let maxCrashes: Int
    private static let start: Int64 = 1_000
    private var now = Timestamp(nanosecondsSince1970: start * 1_000_000_000)

    init(_ row: StateRow) {
        state = SagaState(SagaTraits(stages: Self.stages(row.definition)))
        deadline = row.deadline.map { Timestamp(nanosecondsSince1970: (Self.start + $0) * 1_000_000_000) }
        maxCrashes = row.maxCrashes
    }

    static func stages(_ text: String) -> [[SagaStepTraits]] {
        text.split(separator: " ").map { stage in stage.split(separator: "|").map { Self.step(String($0)) } }
    }

    private static func step(_ text: String) -> SagaStepTraits {
        let rest = text.dropFirst()
        let kind: SagaStepKind =
            switch rest.first {
            case "!": .pivot
            case "*": .retriable
            case "?": .reading
            case "@": .event
            case "~": .timer
            default: .compensatable
            }
        var step = SagaStepTraits(name: String(text.prefix(1)), kind: kind)
        if rest.contains(":probe") { step.ifUnknown = .probe }
        if rest.contains(":park") { step.ifUnknown = .park }
        if kind == .event || kind == .timer { step.wait = Int64(rest.dropFirst()).map { .seconds($0) } }
        if let limit = rest.split(separator: "<").last.flatMap({ Int64($0) }), rest.contains("<") {
            step.limit = .seconds(limit)
        }
        return step
    }

    /// Gives the inputs, in one turn, and says what comes of them.
    mutating func give(_ inputs: String) -> String {
        var told: [String] = []
        var begins = true
        let seen = Set(state.position.branches.filter(\.branch.isParked).map(\.name))
        let calls = inputs.split(separator: ",").map { $0.split(separator: " ").map(String.init) }
        for words in calls { told += give(words, seen, &begins) }
        let turn = state.proceed(at: now, deadline: deadline, begins: begins)
        told += turn.entries.map { "\($0.step ?? ""):\($0.kind)" }
        told += turn.commands.map { text($0) }
        let isUnderWay = state.branches.contains { $0.activity == .calling || $0.activity == .asking }
        if !isUnderWay { told.append(rest) } else if turn.commands.isEmpty { told.append("...") }
        return told.joined(separator: " ")
    }

    private mutating func give(_ words: [String], _ seen: Set<String>, _ begins: inout Bool) -> [String] {
        let step = words.count > 1 ? words[1] : ""
        let failure = SagaFailure(step: state.firstOpenStep, errorType: "E", message: "")
        switch words[0] {
        case "start", "go": return []
        case "crash": state.resume(maxCrashes: maxCrashes)
        case "cut":
            state.cutShort(index(step), notApplied: words.count > 2)
            begins = false
        case "t":
            now = now.advanced(by: .seconds(Int64(step) ?? 0))
            if words.count > 2 { return give(Array(words.dropFirst(2)), seen, &begins) }
        case "event": return state.receive(step) ? [] : ["known"]
        case "retry": return state.retry(seen: seen) ? [] : ["refused"]
        case "skip": return state.skip(step) ? [] : ["refused"]
        case "abort": return [state.abort(because: failure, seen: seen) ? "aborted" : "refused"]
        case "blind" where step == "retry": return state.retry(seen: []) ? [] : ["refused"]
        case "blind": return [state.abort(because: failure, seen: []) ? "aborted" : "refused"]
        default: return end(words[0], step).map { "\($0.step ?? ""):\($0.kind)" }
        }
        return []
    }

    /// How a call of `a`, `?a` or `-a` ended; `+5` behind it if it is to be called again 5 s later.
    private mutating func end(_ call: String, _ outcome: String) -> [SagaEntry] {
        let (name, parts) = (call.suffix(1), outcome.split(separator: "+"))
        let (step, what) = (index(String(name)), parts[0])
        let retryAt = parts.count > 1 ? now.advanced(by: .seconds(Int64(parts[1]) ?? 0)) : nil
        let failure = SagaFailure(step: String(name), errorType: "E", message: "")
        switch (call.first, what) {
        case ("-", "ok"): return state.undone(step)
        case ("-", _): state.undoingFailed(step, failure, retryAt: retryAt)
        case ("?", "err"): state.askFailed(step, failure, retryAt: retryAt)
        case ("?", _):
            return state.answered(step, SagaProbeResult(rawValue: String(what)) ?? .unknown, retryAt: retryAt)
        case (_, "ok"): return state.succeeded(step)
        case (_, "no"): return state.failed(step, .notApplied, failure, retryAt: retryAt)
        case (_, "refused"): return state.failed(step, .refused, failure, retryAt: retryAt)
        case (_, "bad"): return state.failed(step, .failed, failure, retryAt: retryAt)
        default: return state.failed(step, .unknown, failure, retryAt: retryAt)
        }
        return []
    }

    private func index(_ name: String) -> Int { state.traits.steps.firstIndex { $0.name == name } ?? 0 }

    private func text(_ command: SagaState.Command) -> String {
        switch command {
        case .perform(let step, let attempt): "+\(state.traits.steps[step].name)\(attempt)"
        case .ask(let step, let attempt): "?\(state.traits.steps[step].name)\(attempt)"
        case .compensate(let step, let attempt): "-\(state.traits.steps[step].name)\(attempt)"
        }
    }

    private var rest: String {
        switch state.rest(deadline: deadline) {
        case .ready: "ready"
        case .waiting(nil): "waits"
        case .waiting(let until?): "waits \(now.duration(to: until).components.seconds)"
        case .stuck(let stuck): "stuck \(stuck.reason) \(stuck.step)"
        case .ended(.completed): "completed"
        case .ended(.compensated(let cause)): "compensated \(cause.step)"
        case .ended(.stuck): "stuck"
        }
    }
}
