// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Testing

/// A change of an answer to one that the store cannot have given there.
struct AnswerAlteration: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Whether the promises rule it out, too, and not only the table.
    let isRuledOutByPromises: Bool
    /// The altered answer; `nil` if there is nothing to alter.
    private let alter: @Sendable (StoreCall.Operation, StoreAnswer) -> StoreAnswer?

    private init(
        _ description: String, isRuledOutByPromises: Bool = true,
        alter: @escaping @Sendable (StoreCall.Operation, StoreAnswer) -> StoreAnswer?
    ) {
        testDescription = description
        self.isRuledOutByPromises = isRuledOutByPromises
        self.alter = alter
    }

    /// The calls with the first answer altered that can be; `nil` if none can.
    func alterFirst(of calls: [StoreHistory.Call]) -> [StoreHistory.Call]? {
        for (index, call) in calls.enumerated() {
            guard case .answered(let answer, let returned) = call.outcome,
                let altered = alter(call.call.operation, answer)
            else { continue }
            var calls = calls
            calls[index] = .init(call.call, made: call.made, outcome: .answered(altered, at: returned))
            return calls
        }
        return nil
    }

    static let all = reads + commits + claims + pages

    private static let reads = [
        AnswerAlteration("the time of a read") { _, answer in
            guard case .read(let read) = answer else { return nil }
            return .read(ReadAnswer(now: read.now.later, records: read.records))
        },
        AnswerAlteration("a record that is read") { _, answer in
            guard case .read(let read) = answer, var record = read.records[0] else { return nil }
            record.claims += 1
            return .read(ReadAnswer(now: read.now, records: [record] + read.records.dropFirst()))
        },
        AnswerAlteration("the answer to another call") { operation, answer in
            guard case .read = operation, case .read(let read) = answer else { return nil }
            return .scan(ScanAnswer(now: read.now, records: read.records.compactMap(\.self), next: nil))
        },
    ]

    private static let commits = [
        AnswerAlteration("the time of a commit") { _, answer in
            guard case .commit(.committed(let committed)) = answer else { return nil }
            return .commit(.committed(.init(now: committed.now.later, fences: committed.fences)))
        },
        AnswerAlteration("a fence") { _, answer in
            guard case .commit(.committed(let committed)) = answer, let fence = committed.fences.last else {
                return nil
            }
            let fences = committed.fences.dropLast() + [Fence(rawValue: fence.rawValue + 1 << 40)]
            return .commit(.committed(.init(now: committed.now, fences: Array(fences))))
        },
        AnswerAlteration("a fence that does not grow") { operation, answer in
            guard case .commit(let changes) = operation, case .commit(.committed(let committed)) = answer,
                changes.count == 1, case .replace(_, let fence, _, _) = changes[0]
            else { return nil }
            let old = Fence(rawValue: fence.rawValue - 1 << 40)
            return .commit(.committed(.init(now: committed.now, fences: [old])))
        },
        AnswerAlteration("a fence more") { _, answer in
            guard case .commit(.committed(let committed)) = answer else { return nil }
            let fences = committed.fences + [Fence(rawValue: .max)]
            return .commit(.committed(.init(now: committed.now, fences: fences)))
        },
        AnswerAlteration("a conflict that is none") { _, answer in
            guard case .commit(.committed(let committed)) = answer, !committed.fences.isEmpty else { return nil }
            return .commit(.conflict(.init(now: committed.now, index: 0, standing: nil)))
        },
        AnswerAlteration("a commit that is none") { operation, answer in
            guard case .commit(let changes) = operation, case .commit(.conflict(let conflict)) = answer,
                case .delete? = changes.first, changes.count == 1
            else { return nil }
            return .commit(.committed(.init(now: conflict.now, fences: [])))
        },
        AnswerAlteration("the time of a conflict") { _, answer in
            guard case .commit(.conflict(let conflict)) = answer else { return nil }
            return .commit(
                .conflict(.init(now: conflict.now.later, index: conflict.index, standing: conflict.standing)))
        },
        AnswerAlteration("the place of a conflict") { _, answer in
            guard case .commit(.conflict(let conflict)) = answer else { return nil }
            return .commit(
                .conflict(.init(now: conflict.now, index: conflict.index + 1, standing: conflict.standing)))
        },
        AnswerAlteration("what stands at a conflict") { _, answer in
            guard case .commit(.conflict(let conflict)) = answer, var record = conflict.standing else { return nil }
            record.body += [0]
            return .commit(.conflict(.init(now: conflict.now, index: conflict.index, standing: record)))
        },
        AnswerAlteration("the time of an extension") { _, answer in
            guard case .extend(.extended(let now, let until)) = answer else { return nil }
            return .extend(.extended(now: now.later, until: until))
        },
        AnswerAlteration("the end of an extension") { _, answer in
            guard case .extend(.extended(let now, let until)) = answer else { return nil }
            return .extend(.extended(now: now, until: until.later))
        },
        AnswerAlteration("an extension that was lost") { _, answer in
            guard case .extend(.lost(let now, .some)) = answer else { return nil }
            return .extend(.extended(now: now, until: now))
        },
        AnswerAlteration("what stands where a hold was lost") { _, answer in
            guard case .extend(.lost(let now, var record?)) = answer else { return nil }
            record.state = "else"
            return .extend(.lost(now: now, standing: record))
        },
    ]

    private static let claims = [
        AnswerAlteration("the time of a claim") { _, answer in
            guard case .claim(let claim) = answer else { return nil }
            return .claim(claim.with(now: claim.now.later))
        },
        AnswerAlteration("a claim that hides what it took") { _, answer in
            guard case .claim(let claim) = answer, !claim.claimed.isEmpty else { return nil }
            return .claim(claim.with(claimed: claim.claimed.dropLast()))
        },
        AnswerAlteration("a claimed record") { _, answer in
            guard case .claim(let claim) = answer, var record = claim.claimed.first else { return nil }
            record.claims += 1
            return .claim(claim.with(claimed: [record] + claim.claimed.dropFirst()))
        },
        AnswerAlteration("a claimed record's fence") { _, answer in
            guard case .claim(let claim) = answer, var record = claim.claimed.first else { return nil }
            record.fence = Fence(rawValue: record.fence.rawValue + 1 << 40)
            return .claim(claim.with(claimed: [record] + claim.claimed.dropFirst()))
        },
        AnswerAlteration("a record that is claimed twice over") { _, answer in
            guard case .claim(let claim) = answer, let record = claim.claimed.first else { return nil }
            return .claim(claim.with(claimed: [record] + claim.claimed))
        },
        AnswerAlteration("the order of due records") { operation, answer in
            guard case .claim(let request) = operation, case .due = request.selection,
                case .claim(let claim) = answer, claim.claimed.count > 1
            else { return nil }
            return .claim(claim.with(claimed: claim.claimed.reversed()))
        },
        AnswerAlteration("the order of records claimed by name", isRuledOutByPromises: false) { operation, answer in
            guard case .claim(let request) = operation, case .ids = request.selection,
                case .claim(let claim) = answer, claim.claimed.count > 1
            else { return nil }
            return .claim(claim.with(claimed: claim.claimed.reversed()))
        },
        AnswerAlteration("what stands in the way of a claim") { _, answer in
            guard case .claim(let claim) = answer, var record = claim.standing.first else { return nil }
            record.state = "else"
            return .claim(claim.with(standing: [record] + claim.standing.dropFirst()))
        },
        AnswerAlteration("what stands in the way twice") { _, answer in
            guard case .claim(let claim) = answer, let record = claim.standing.first else { return nil }
            return .claim(claim.with(standing: [record] + claim.standing))
        },
        AnswerAlteration("something in the way of a claim of due records") { operation, answer in
            guard case .claim(let request) = operation, case .due = request.selection,
                case .claim(let claim) = answer, let record = claim.claimed.first
            else { return nil }
            return .claim(claim.with(standing: [record]))
        },
        AnswerAlteration("when something is due next, too late") { _, answer in
            guard case .claim(let claim) = answer, claim.nextDueIn == .zero else { return nil }
            return .claim(claim.with(nextDueIn: .nanoseconds(1)))
        },
        AnswerAlteration("that something is due now that is due later") { _, answer in
            guard case .claim(let claim) = answer, let next = claim.nextDueIn, next > .zero else { return nil }
            return .claim(claim.with(nextDueIn: .zero))
        },
        AnswerAlteration("that something is due next after a claim by name") { operation, answer in
            guard case .claim(let request) = operation, case .ids = request.selection,
                case .claim(let claim) = answer
            else { return nil }
            return .claim(claim.with(nextDueIn: .zero))
        },
    ]

    private static let pages = [
        AnswerAlteration("the time of a page") { _, answer in
            guard case .scan(let page) = answer else { return nil }
            return .scan(ScanAnswer(now: page.now.later, records: page.records, next: page.next))
        },
        AnswerAlteration("a page without its last record") { _, answer in
            guard case .scan(let page) = answer, !page.records.isEmpty else { return nil }
            return .scan(ScanAnswer(now: page.now, records: page.records.dropLast(), next: page.next))
        },
        AnswerAlteration("the order of a page") { _, answer in
            guard case .scan(let page) = answer, page.records.count > 1 else { return nil }
            return .scan(ScanAnswer(now: page.now, records: page.records.reversed(), next: page.next))
        },
        AnswerAlteration("where the next page starts") { _, answer in
            guard case .scan(let page) = answer, let next = page.next else { return nil }
            return .scan(ScanAnswer(now: page.now, records: page.records, next: next + 1))
        },
        AnswerAlteration("a page that leads nowhere") { _, answer in
            guard case .scan(let page) = answer, page.next != nil else { return nil }
            return .scan(ScanAnswer(now: page.now, records: page.records, next: nil))
        },
        AnswerAlteration("the time of statistics") { _, answer in
            guard case .statistics(let answer) = answer else { return nil }
            return .statistics(answer.with(now: answer.now.later))
        },
        AnswerAlteration("a count") { _, answer in
            guard case .statistics(let answer) = answer else { return nil }
            return .statistics(answer.with(counts: answer.counts.merging(["a": 1], uniquingKeysWith: +)))
        },
        AnswerAlteration("since when something is due") { _, answer in
            guard case .statistics(let answer) = answer, let due = answer.oldestDue else { return nil }
            return .statistics(answer.with(oldestDue: due.later))
        },
        AnswerAlteration("when the oldest was created") { _, answer in
            guard case .statistics(let answer) = answer, let created = answer.oldestCreated else { return nil }
            return .statistics(answer.with(oldestCreated: created.later))
        },
    ]
}

extension Timestamp {
    fileprivate var later: Timestamp { Timestamp(nanosecondsSince1970: nanosecondsSince1970 + 7) }
}

extension ClaimAnswer {
    fileprivate func with(
        now: Timestamp? = nil, claimed: [Record]? = nil, standing: [Record]? = nil, nextDueIn: Duration? = nil
    ) -> ClaimAnswer {
        ClaimAnswer(
            now: now ?? self.now, claimed: claimed ?? self.claimed, standing: standing ?? self.standing,
            nextDueIn: nextDueIn ?? self.nextDueIn)
    }
}

extension CollectionStatistics {
    fileprivate func with(
        now: Timestamp? = nil, counts: [String: Int]? = nil, oldestDue: Timestamp? = nil,
        oldestCreated: Timestamp? = nil
    ) -> CollectionStatistics {
        CollectionStatistics(
            now: now ?? self.now, counts: counts ?? self.counts, oldestDue: oldestDue ?? self.oldestDue,
            oldestCreated: oldestCreated ?? self.oldestCreated)
    }
}
