// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores

/// Calls and answers in one line each, for those who read a history that has no explanation.
///
/// Times are given as what is left of them at the time of the call.
extension StoreCall: CustomStringConvertible {
    package var description: String {
        switch operation {
        case .read(let ids): "read \(ids)"
        case .commit(let changes): "commit \(changes.map(brief).joined(separator: " & "))"
        case .claim(let request):
            switch request.selection {
            case .ids(let ids): "claim \(ids) for \(request.lease.duration)"
            case .due(let collection, let limit): "claim \(limit) due in \(collection) for \(request.lease.duration)"
            }
        case .extend(let id, let fence, let lease): "extend \(id) under \(fence) to \(lease)"
        case .scan(let collection, let state, let position, let limit):
            "scan \(limit) of \(collection) after \(position ?? 0)\(state.map { " in state \($0)" } ?? "")"
        case .statistics(let collection): "statistics of \(collection)"
        }
    }

    private func brief(_ change: Change) -> String {
        switch change {
        case .insert(let id, let content, let lease):
            "insert \(id) \(brief(content))\(lease.map { " held for \($0.duration)" } ?? "")"
        case .replace(let id, let fence, let content, let lease): "replace \(id) \(fence) \(brief(content)) \(lease)"
        case .move(let id, let destination, let fence, let content, let lease):
            "move \(id) \(fence) to \(destination) \(brief(content)) \(lease)"
        case .delete(let id, let fence): "delete \(id) \(fence)"
        case .assert(let id, let fence): "assert \(id) \(fence.map { "\($0)" } ?? "absent")"
        }
    }

    private func brief(_ content: RecordContent) -> String {
        "(\(content.state) '\(String(decoding: content.body, as: UTF8.self))' order \(content.orderKey ?? "none"), "
            + "due \(content.due), expires \(content.expires))"
    }
}

extension StoreAnswer: CustomStringConvertible {
    package var description: String {
        switch self {
        case .read(let answer):
            "\(answer.records.map { $0.map { $0.brief(at: answer.now) } ?? "absent" })"
        case .commit(.committed(let committed)): "committed \(committed.fences)"
        case .commit(.conflict(let conflict)):
            "conflict of change \(conflict.index): \(conflict.standing?.brief(at: conflict.now) ?? "absent")"
        case .claim(let answer):
            "claimed \(answer.claimed.map { $0.brief(at: answer.now) }), standing "
                + "\(answer.standing.map { $0.brief(at: answer.now) }), next \(answer.nextDueIn.map { "\($0)" } ?? "nil")"
        case .extend(.extended(let now, let until)): "extended by \(now.duration(to: until))"
        case .extend(.lost(let now, let standing)): "lost: \(standing?.brief(at: now) ?? "absent")"
        case .scan(let answer):
            "\(answer.records.map { $0.brief(at: answer.now) }), next \(answer.next.map { "\($0)" } ?? "nil")"
        case .statistics(let answer):
            "\(answer.counts), due \(answer.oldestDue.map { "\(answer.now.duration(to: $0))" } ?? "nil"), "
                + "created \(answer.oldestCreated.map { "\(answer.now.duration(to: $0))" } ?? "nil")"
        }
    }
}

extension Record {
    /// Everything in the record but its headers and who holds it.
    package func brief(at now: Timestamp) -> String {
        func time(_ name: String, _ time: Timestamp?) -> String {
            time.map { " \(name) \(now.duration(to: $0))" } ?? ""
        }
        let held = holder == nil ? "" : time("held", leaseUntil)
        return "\(id) \(fence)\(changedUnder.map { "<\($0)" } ?? "") #\(position) \(orderKey ?? "") "
            + "\(state) '\(String(decoding: body, as: UTF8.self))' \(claims) claims\(held)\(time("due", dueAt))"
            + "\(time("expires", expiresAt))\(time("created", createdAt))"
    }
}
