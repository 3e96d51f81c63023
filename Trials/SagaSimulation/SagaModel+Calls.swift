// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// What participants are asked, and what they do.
extension SagaModel {
    /// A call that has reached its participant.
    struct Call: Sendable {
        let number: Int
        let saga: String
        let step: Int
        let act: Int
        let direction: SagaDirection
    }

    /// A coordinator calls an action or a compensation.
    mutating func begins(
        _ sagaID: String, _ name: String, _ direction: SagaDirection, key: String, attempt: Int, act: Int,
        at now: Duration
    ) -> Call? {
        guard var saga = sagas[sagaID], let index = saga.index(name) else {
            accuse("\(name) of \(sagaID) is called, and there is no such thing")
            return nil
        }
        callCount += 1
        summary.calls += 1
        let number = callCount
        note("\(now) call \(number): \(sagaID) \(direction) \(name) attempt \(attempt) in act \(act)")
        let isHolder = holds(saga, act)
        var part = saga.parts[index]
        var tries = direction == .forward ? part.forward : part.backward
        expect(tries.key ?? key == key, "\(name) of \(sagaID) is called as \(key), and was as \(tries.key ?? "")")
        expect(key == "\(sagaID)/\(name)/\(direction.rawValue)", "the key of \(name) of \(sagaID) is \(key)")
        tries.key = key
        if isHolder {
            expect(
                saga.status.steps.contains { $0.name == name && $0.attempts == attempt },
                "call \(attempt) of \(name) of \(sagaID) \(direction) is not durable")
            let most = direction == .forward ? part.step.attempts : part.step.undoAttempts
            if let most {
                expect(tries.failures < most, "\(name) of \(sagaID) is called after \(tries.failures) failures")
            }
        }
        switch direction {
        case .forward:
            expect(!isHolder || !saga.isBack, "\(name) of \(sagaID) is called while the saga goes back")
            part.forward = tries
        case .compensation:
            let pivot = saga.parts.first { $0.step.kind == .pivot }
            expect(pivot?.standing ?? 0 == 0, "\(name) of \(sagaID) is undone after the pivot")
            expect(part.forward.isBegun, "\(name) of \(sagaID) is undone, and was never called")
            expect(part.end != .notApplied, "\(name) of \(sagaID) is undone, and took no effect")
            if isHolder { checkLater(saga, than: part) }
            part.backward = tries
        }
        saga.parts[index] = part
        sagas[sagaID] = saga
        return Call(number: number, saga: sagaID, step: index, act: act, direction: direction)
    }

    /// What came later is undone first.
    private mutating func checkLater(_ saga: Saga, than part: Part) {
        for later in saga.parts where later.stage > part.stage && later.needsUndoing {
            expect(later.undoEnd != nil, "\(part.step.name) of \(saga.id) is undone before \(later.step.name)")
        }
    }

    /// The action reaches its effect; `nil` if the other side refuses it.
    mutating func takesEffect(_ call: Call) -> Int? {
        guard var part = sagas[call.saga]?.parts[call.step] else { return nil }
        // Who asked was told that nothing takes effect any more of what others had begun.
        let isLate = part.isAsked && sagas[call.saga]?.holder != call.act
        guard !part.isUndone, call.number > part.refusedThrough, !isLate else {
            note("    call \(call.number) is refused")
            return nil
        }
        if part.step.remembersKeys, !forgetsKeys, part.standing > 0 { return part.output }
        part.standing += 1
        part.effects += 1
        part.output = call.number
        summary.effects += 1
        note("    call \(call.number) takes effect")
        expect(part.standing == 1, "\(part.step.name) of \(call.saga) takes effect twice")
        sagas[call.saga]?.parts[call.step] = part
        return call.number
    }

    mutating func isUndone(_ call: Call) {
        note("    call \(call.number) undoes")
        sagas[call.saga]?.parts[call.step].undo()
        summary.undone += 1
    }

    /// What the other side says became of the step; what it has not seen by then it will refuse.
    mutating func find(_ sagaID: String, _ name: String) -> Int? {
        guard let index = sagas[sagaID]?.index(name) else { return nil }
        let output = sagas[sagaID]?.parts[index].found(before: callCount)
        note("probe of \(name) of \(sagaID): \(output.map { "\($0)" } ?? "not applied")")
        return output
    }

    mutating func failed(_ call: Call, at now: Duration, isDenied: Bool) {
        let failure = Failure(number: call.number, at: now)
        note("    call \(call.number) fails")
        if isDenied { sagas[call.saga]?.parts[call.step].isDenied = true }
        switch call.direction {
        case .forward: sagas[call.saga]?.parts[call.step].forward.open = failure
        case .compensation: sagas[call.saga]?.parts[call.step].backward.open = failure
        }
    }

    /// A call was given what an earlier step gave.
    mutating func saw(_ output: Int?, of name: String, _ sagaID: String, _ reader: String) {
        guard let saga = sagas[sagaID], let part = saga.index(name).map({ saga.parts[$0] }) else { return }
        switch (part.step.kind, part.end) {
        case (.event, .succeeded):
            expect(output == part.payloads.first, "\(reader) of \(sagaID) is given another \(name)")
        case (_, .succeeded?) where part.step.acts:
            expect(output == part.output || part.isUndone, "\(reader) of \(sagaID) is given another \(name)")
        case (.reading, .succeeded):
            expect(output != nil, "\(reader) of \(sagaID) is not given \(name)")
        default: break
        }
    }
}

extension SagaModel.Part {
    mutating func undo() {
        standing = 0
        isUndone = true
    }

    fileprivate mutating func found(before call: Int) -> Int? {
        if standing > 0 { return output }
        refusedThrough = call
        (isAsked, isDenied) = (true, true)
        return nil
    }
}
