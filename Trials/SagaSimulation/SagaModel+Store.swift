// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// What the store carries out.
extension SagaModel {
    mutating func claimed(_ sagaID: String, _ act: Int, by process: Int) {
        note("\(sagaID) is claimed in act \(act) by process \(process)")
        summary.claims += 1
        if sagas[sagaID]?.holder != nil { summary.takenOver += 1 }
        sagas[sagaID]?.holder = act
        sagas[sagaID]?.claims[act, default: 0] += 1
    }

    /// A batch was carried out, and the saga's record is now that.
    mutating func committed(_ commit: Commit, _ record: Record?, now: Timestamp) {
        guard let record, let status = try? SagaStatus(record, now: now) else {
            return accuse("the record of a saga is gone or cannot be read")
        }
        summary.commits += 1
        switch commit.changes[0] {
        case .insert(let id, _, _) where id.collection == Names.headers:
            start(status, record, commit)
        case let change where change.id.collection == Names.mail:
            deliver(record, commit)
        case .replace(_, _, let content, _) where content.state == SagaStatus.State.blocked.rawValue:
            note("\(record.id.key) is blocked")
            summary.blocked += 1
            sagas[record.id.key]?.holder = nil
            expect(sagas[record.id.key]?.body == record.body, "\(record.id.key) is blocked and changed")
        default:
            settle(status, record, commit)
        }
    }

    private mutating func start(_ status: SagaStatus, _ record: Record, _ commit: Commit) {
        guard let definition = settings.definitions.first(where: { $0.name == status.definition.name }),
            sagas[status.sagaID] == nil
        else { return accuse("\(status.sagaID) is started as something else, or twice") }
        note("\(commit.decidedAt) \(status.sagaID) starts: \(definition)")
        summary.sagas += 1
        let parts = definition.stages.indices.flatMap { stage in
            definition.stages[stage].map { Part(step: $0, stage: stage) }
        }
        let startedAt = commit.decidedAt
        sagas[status.sagaID] = Saga(
            id: status.sagaID, definition: definition, startedAt: startedAt, parts: parts, status: status,
            body: record.body)
    }

    private mutating func deliver(_ record: Record, _ commit: Commit) {
        guard let wish = wishes[commit.act], var saga = sagas[record.id.key] else {
            return accuse("a message comes from nobody")
        }
        note("act \(commit.act) tells \(saga.id): \(wish)")
        expect(saga.body == record.body, "a message changes \(saga.id)")
        delivered.insert(commit.act)
        summary.messages += 1
        switch wish {
        case .event(let step, let payload):
            if let index = saga.index(step) { saga.parts[index].payloads.append(payload) }
        case .abort:
            saga.reasons["\(commit.act)"] = 0
            // Who aborts a saga that is stuck in its pivot sees to it that this took no effect, and never will.
            if case .stuck(let stuck) = saga.status.result, let index = saga.index(stuck.step),
                saga.parts[index].step.kind == .pivot
            {
                saga.parts[index].undo()
            }
        case .retry, .skip:
            saga.reasons["\(commit.act)"] = 0
        }
        sagas[saga.id] = saga
    }

    /// A coordinator has decided what becomes of a saga.
    private mutating func settle(_ status: SagaStatus, _ record: Record, _ commit: Commit) {
        guard var saga = sagas[status.sagaID] else { return accuse("\(status.sagaID) comes from nowhere") }
        expect(
            saga.holder == commit.act, "\(saga.id) is changed in act \(commit.act), and \(saga.holder ?? 0) holds it")
        expect(saga.status.result == nil || saga.status.isStuck, "\(saga.id) is over and changed")
        let entries = saga.entries.count
        for change in commit.changes.dropFirst() {
            guard case .insert(let id, let content, _) = change, id.collection == Names.log else { continue }
            guard let entry = try? SagaEntry(decoding: content.body) else {
                return accuse("an entry of \(saga.id) cannot be read")
            }
            add(entry, to: &saga, commit)
        }
        let before = saga.status
        saga.status = status
        saga.body = record.body
        if record.leaseUntil == nil { saga.holder = nil }
        switch status.state {
        case .compensating, .compensated: saga.isBack = true
        case .running, .completed: expect(!saga.isBack, "\(saga.id) went back and goes forward")
        case .stuck, .blocked: break
        }
        // Whoever had made sure that the pivot took no effect lets it happen after all.
        if !saga.isBack, saga.entries.count > entries, saga.entries[entries...].contains(where: { $0.kind == .refused })
        {
            for index in saga.parts.indices where saga.parts[index].step.kind == .pivot {
                saga.parts[index].isUndone = false
            }
        }
        note("\(commit.decidedAt) \(saga.id) is \(status.state): \(status.steps.map { "\($0.name) \($0.attempts)" })")
        count(status)
        for step in status.steps { show(step, before, &saga, commit) }
        sagas[saga.id] = saga
    }

    private mutating func count(_ status: SagaStatus) {
        switch status.result {
        case .completed: summary.results["completed", default: 0] += 1
        case .compensated: summary.results["compensated", default: 0] += 1
        case .stuck(let stuck): summary.results["\(stuck.reason)", default: 0] += 1
        case nil: break
        }
    }

    /// A step of the present stage as it stands now.
    private mutating func show(
        _ step: SagaStatus.Step, _ before: SagaStatus, _ saga: inout Saga, _ commit: Commit
    ) {
        guard let index = saga.index(step.name) else { return accuse("\(saga.id) has no \(step.name)") }
        var part = saga.parts[index]
        if saga.isBack {
            part.backward.read(step, delay: part.step.undoDelay)
        } else {
            part.forward.read(step, delay: part.step.attempts == nil ? nil : part.step.delay)
            for earlier in saga.parts where earlier.stage < part.stage {
                expect(
                    earlier.end == .succeeded || earlier.end == .skipped,
                    "\(step.name) of \(saga.id) is taken before \(earlier.step.name)")
            }
            if step.attempts == 0 { part.shownAt = part.shownAt ?? commit.decidedAt }
        }
        let earlier = before.steps.first { $0.name == step.name }?.attempts
        if step.attempts > 0, step.attempts != earlier || saga.isBack && before.state == .running {
            if saga.isBack {
                check(part.backward, commit, "the compensation of \(step.name) of \(saga.id)")
                part.backward.begin(commit)
            } else {
                check(part.forward, commit, "\(step.name) of \(saga.id)")
                checkTimes(part, saga, commit)
                part.forward.begin(commit)
            }
        }
        saga.parts[index] = part
    }

    private mutating func check(_ tries: Tries, _ commit: Commit, _ name: String) {
        guard settings.isPunctual, let notBefore = tries.notBefore else { return }
        expect(commit.decidedAt >= notBefore, "\(name) is called at \(commit.decidedAt), sooner than at \(notBefore)")
    }

    /// An action is called within the time of its step and of its saga.
    private mutating func checkTimes(_ part: Part, _ saga: Saga, _ commit: Commit) {
        guard settings.isPunctual else { return }
        let name = "\(part.step.name) of \(saga.id)"
        if let limit = part.step.limit, let since = part.forward.since {
            expect(commit.decidedAt < since + limit, "\(name) is called at \(commit.decidedAt), since \(since)")
        }
        if let deadline = saga.definition.deadline, saga.definition.canGoBack(from: part.stage),
            !(part.step.kind == .pivot && part.forward.isBegun)
        {
            expect(commit.decidedAt < saga.startedAt + deadline, "\(name) is called after the deadline")
        }
    }
}

extension SagaStatus {
    var isStuck: Bool { if case .stuck = result { true } else { false } }
}

extension SagaModel.Tries {
    /// What the saga's record tells of the last failure.
    fileprivate mutating func read(_ step: SagaStatus.Step, delay: Duration?) {
        guard let failure = open, step.lastFailure?.message == "call \(failure.number)" else { return }
        failures += 1
        open = nil
        if let delay { notBefore = failure.at + delay }
    }

    fileprivate mutating func begin(_ commit: SagaModel.Commit) {
        isBegun = true
        since = since ?? commit.decidedAt
    }

    /// Somebody has it tried again: it is counted anew.
    mutating func startOver() { (failures, open, notBefore, since) = (0, nil, nil, nil) }
}
