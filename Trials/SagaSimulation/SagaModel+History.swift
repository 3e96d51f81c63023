// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// What is kept in the history, and what has to be in the end.
extension SagaModel {
    /// A line of a saga's history is written.
    mutating func add(_ entry: SagaEntry, to saga: inout Saga, _ commit: Commit) {
        note("    \(saga.id): \(entry.kind) \(entry.step ?? "") \(entry.reason ?? "")")
        saga.entries.append(entry)
        summary.entries["\(entry.kind)", default: 0] += 1
        if let reason = entry.reason {
            if let count = saga.reasons[reason] { saga.reasons[reason] = count + 1 }
            expect(saga.reasons[reason] == 1, "\(entry.kind) of \(saga.id) was not asked for, or once")
        }
        if entry.kind == .retried { for index in saga.parts.indices { saga.parts[index].startOver() } }
        guard let name = entry.step, let index = saga.index(name) else { return }
        let what = "\(name) of \(saga.id)"
        var part = saga.parts[index]
        switch entry.kind {
        case .signalled:
            expect(!part.isSignalled && !part.payloads.isEmpty, "\(what) came twice, or from nobody")
            part.isSignalled = true
        case .skipped where saga.isBack:
            part.undoEnd = .skipped
            part.undo()
        case .succeeded, .notApplied, .failed, .skipped:
            expect(!saga.isBack, "\(what) is \(entry.kind) while the saga goes back")
            expect(part.end == nil, "\(what) ended before")
            part.end = entry.kind
            checkEnd(part, what, commit)
        case .compensated:
            expect(part.isUndone && part.undoEnd == nil, "\(what) is compensated, and is not undone, or was before")
            part.undoEnd = .compensated
        case .retried, .aborted, .refused, .migrated:
            break
        }
        saga.parts[index] = part
    }

    private mutating func checkEnd(_ part: Part, _ what: String, _ commit: Commit) {
        switch (part.end, part.step.kind) {
        case (.succeeded, .compensatable), (.succeeded, .pivot), (.succeeded, .retriable):
            expect(part.standing == 1, "\(what) succeeded, and \(part.standing) effects stand")
        case (.succeeded, .event):
            expect(!part.payloads.isEmpty, "\(what) counts as come, and nobody brought it")
        case (.succeeded, .timer):
            let until = part.shownAt.flatMap { shown in part.step.wait.map { shown + $0 } }
            if settings.isPunctual, let until {
                expect(commit.decidedAt >= until, "\(what) ends at \(commit.decidedAt)")
            }
        case (.notApplied, .event):
            expect(part.payloads.isEmpty, "\(what) counts as late, and was brought")
            let until = part.shownAt.flatMap { shown in part.step.wait.map { shown + $0 } }
            if settings.isPunctual, let until {
                expect(commit.decidedAt >= until, "\(what) is late at \(commit.decidedAt)")
            }
        case (.notApplied, .compensatable), (.notApplied, .pivot):
            expect(part.standing == 0, "\(what) counts as not applied, and stands")
        case (.failed, _):
            expect(part.step.kind == .compensatable || part.step.kind == .pivot, "\(what) failed")
            expect(part.step.kind == .compensatable, "\(what) is a pivot that may have taken effect")
        default: break
        }
    }

    /// When all is quiet, no saga is still on its way to its pivot that should have turned back.
    mutating func checkDeadlines(at now: Duration) {
        for saga in sagas.values where saga.status.state == .running {
            guard let deadline = saga.definition.deadline, saga.startedAt + deadline <= now,
                let name = saga.status.steps.first?.name, let part = saga.index(name).map({ saga.parts[$0] })
            else { continue }
            let isInDoubt = part.step.kind == .pivot && part.forward.isBegun
            expect(
                !saga.definition.canGoBack(from: part.stage) || isInDoubt,
                "\(saga.id) is at \(name) at \(now), after its deadline")
        }
    }

    /// Whether all sagas are over.
    var areAllOver: Bool {
        sagas.values.allSatisfy { $0.status.state == .completed || $0.status.state == .compensated }
    }

    /// What has to hold when all are over.
    mutating func judge() {
        for saga in sagas.values.sorted(by: { $0.id < $1.id }) {
            for (reason, count) in saga.reasons { expect(count == 1, "wish \(reason) to \(saga.id) is lost") }
            for part in saga.parts where !part.payloads.isEmpty {
                expect(part.isSignalled, "the event \(part.step.name) to \(saga.id) is lost")
            }
            switch saga.status.state {
            case .completed: judgeCompleted(saga)
            case .compensated: judgeCompensated(saga)
            case .running, .compensating, .stuck, .blocked: accuse("\(saga.id) is \(saga.status.state) in the end")
            }
        }
    }

    private mutating func judgeCompleted(_ saga: Saga) {
        for part in saga.parts {
            let what = "\(part.step.name) of \(saga.id), which is completed,"
            expect(part.end == .succeeded || part.end == .skipped, "\(what) did not succeed")
            expect(!part.isUndone && part.undoEnd == nil, "\(what) is undone")
            if part.step.acts, part.end == .succeeded { expect(part.standing == 1, "\(what) does not stand") }
        }
    }

    private mutating func judgeCompensated(_ saga: Saga) {
        expect(!saga.isPivotTaken, "\(saga.id) is compensated after its pivot")
        for part in saga.parts {
            let what = "\(part.step.name) of \(saga.id), which is compensated,"
            expect(part.standing == 0, "\(what) stands")
            if part.needsUndoing { expect(part.undoEnd != nil, "\(what) was not undone") }
        }
    }
}

extension SagaModel.Part {
    fileprivate mutating func startOver() {
        forward.startOver()
        backward.startOver()
    }
}
