// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// The promises as a model of what a store answers when many tasks ask: fences and positions are a store's own choice,
/// and so they are taken from the answers.
struct NumberedRecordModel: SequentialModel, CustomStringConvertible {
    struct Fingerprint: Hashable {
        let records: [Record]
        let lastFences: [RecordID: Fence]
    }

    private var model: RecordModel
    /// The fence that each record got last, which outlives the record.
    private var lastFences: [RecordID: Fence] = [:]
    private let numbers: GivenNumbers
    private let passesOver: Bool
    private let isExact: Bool

    /// - Parameters:
    ///   - passesOver: whether a claim of due records may pass over those that another call is changing.
    ///   - isExact: whether pages and statistics have to be those of the local stores.
    init(now: Timestamp, numbers: GivenNumbers, passesOver: Bool = false, isExact: Bool = false) {
        model = RecordModel(now: now)
        self.numbers = numbers
        self.passesOver = passesOver
        self.isExact = isExact
    }

    var fingerprint: Fingerprint {
        Fingerprint(records: model.records.sorted { $0.position < $1.position }, lastFences: lastFences)
    }

    mutating func apply(_ call: StoreCall, answered answer: StoreAnswer?) -> Bool {
        model.begin(at: call.now)
        switch (call.operation, answer) {
        case (.read(let ids), .read(let answer)):
            return answer.now == model.now && answer.records == ids.map { model.find($0) }
        case (.commit(let changes), .commit(let answer)):
            return commit(changes, answer)
        case (.claim(let request), .claim(let answer)):
            return answer.now == model.now && claim(request, answer)
        case (.extend(let id, let fence, let lease), .extend(let answer)):
            return answer == model.extend(id, fence, lease: lease)
        case (.scan(let collection, let state, let position, let limit), .scan(let answer)):
            let rest = model.collection(collection).filter { record in
                (state == nil || record.state == state) && (position.map { record.position > $0 } ?? true)
            }
            return answer.now == model.now
                && RecordModel.allows(answer, of: rest, after: position, limit: limit, isExact: isExact)
        case (.statistics(let collection), .statistics(let answer)):
            return answer.now == model.now
                && answer.counts.filter { $0.value != 0 } == model.counts(collection)
                && model.oldestDue(collection, isExact: isExact).contains(answer.oldestDue)
                && answer.oldestCreated == model.oldestCreated(collection)
        case (_, nil):
            preconditionFailure("The numbers that \(call) was given are not known")
        case (.read, _), (.commit, _), (.claim, _), (.extend, _), (.scan, _), (.statistics, _):
            return false
        }
    }

    private mutating func commit(_ changes: [Change], _ answer: CommitAnswer) -> Bool {
        switch (answer, model.conflict(of: changes)) {
        case (.conflict(let conflict), let expected?):
            return conflict.now == model.now && conflict.index == expected.index
                && conflict.standing == expected.standing
        case (.committed(let committed), nil):
            guard committed.now == model.now, let given = changes.pairedWithFences(committed.fences) else {
                return false
            }
            for (change, fence) in given {
                guard take(fence, of: change.destination ?? change.id) else { return false }
            }
            model.apply(changes, fences: committed.fences, positions: numbers.positions(of: given))
            return true
        case (.conflict, nil), (.committed, _?):
            return false
        }
    }

    private mutating func claim(_ request: ClaimRequest, _ answer: ClaimAnswer) -> Bool {
        switch request.selection {
        case .due(let collection, let limit):
            guard answer.standing.isEmpty,
                model.allows(
                    claimed: answer.claimed.map(\.id), in: collection, limit: limit, passesOver: passesOver),
                hold(answer.claimed, request.lease)
            else { return false }
            // Too early where records are being changed, and here all are.
            if passesOver, let next = answer.nextDueIn, model.nextDueIn(collection).map({ next <= $0 }) ?? true {
                return true
            }
            return model.allows(nextDueIn: answer.nextDueIn, in: collection)
        case .ids(let ids):
            let standing = Set(ids.compactMap { model.find($0) })
            let free = standing.filter { model.isClaimable($0, at: model.now) }
            return answer.claimed.count == free.count && Set(answer.claimed.map(\.id)) == Set(free.map(\.id))
                && answer.standing.count == standing.count - free.count
                && Set(answer.standing) == standing.subtracting(free) && answer.nextDueIn == nil
                && hold(answer.claimed, request.lease)
        }
    }

    private mutating func hold(_ claimed: [Record], _ lease: Lease) -> Bool {
        for record in claimed {
            guard take(record.fence, of: record.id) else { return false }
            model.hold(record.id, lease, record.fence)
        }
        return claimed.allSatisfy { model.find($0.id) == $0 }
    }

    private mutating func take(_ fence: Fence, of id: RecordID) -> Bool {
        if let last = lastFences[id], fence <= last { return false }
        lastFences[id] = fence
        return true
    }

    var description: String {
        "\(model.records.sorted { $0.position < $1.position }.map { $0.brief(at: model.now) })"
    }
}

/// The numbers that a store gave out in a history: every fence once, and to every insert a position of its own.
struct GivenNumbers {
    /// The position of each insert, by its fence.
    private var positions: [Fence: UInt64] = [:]

    init(_ calls: [StoreHistory.Call]) throws(Violation) {
        var given: Set<Fence> = []
        var inserts: [RecordID: [Fence]] = [:]
        var arrivals: [RecordID: [Fence]] = [:]
        for call in calls {
            for (id, fence, origin) in Self.fences(of: call) {
                try require(given.insert(fence).inserted, "the fence \(fence) of \(id) was given out twice")
                switch origin {
                case .insert: inserts[id, default: []].append(fence)
                case .move: arrivals[id, default: []].append(fence)
                case .change: break
                }
            }
        }
        for record in calls.flatMap({ $0.answer?.records ?? [] }) {
            // Fences grow, so the last insert or move up to a record's fence is the one that brought it there.
            let origins = (inserts[record.id] ?? []) + (arrivals[record.id] ?? [])
            guard let origin = origins.filter({ $0 <= record.fence }).max() else {
                throw Violation("\(record.id) has the fence \(record.fence), which no insert comes before")
            }
            let position = positions[origin] ?? record.position
            try require(record.position, is: position, "the position of \(record.id) at \(record.fence)")
            positions[origin] = position
        }
        for (id, fences) in inserts {
            for fence in fences where positions[fence] == nil {
                throw Violation("the insert of \(id) that was answered with \(fence) was never seen")
            }
        }
        // A moved record keeps its position.
        for fence in arrivals.values.joined() { positions[fence] = nil }
        try require(Set(positions.values).count, is: positions.count, "the number of positions of all inserts")
    }

    /// How a record comes to a fence.
    private enum Origin {
        case insert
        case move
        case change
    }

    private static func fences(of call: StoreHistory.Call) -> [(id: RecordID, fence: Fence, origin: Origin)] {
        switch (call.call.operation, call.answer) {
        case (.commit(let changes), .commit(.committed(let committed))):
            (changes.pairedWithFences(committed.fences) ?? []).map { change, fence in
                switch change {
                case .insert(let id, _, _): (id, fence, .insert)
                case .move(_, let destination, _, _, _): (destination, fence, .move)
                case .replace, .delete, .assert: (change.id, fence, .change)
                }
            }
        case (_, .claim(let answer)):
            answer.claimed.map { ($0.id, $0.fence, .change) }
        default:
            []
        }
    }

    func positions(of given: [(change: Change, fence: Fence)]) -> [RecordID: UInt64] {
        given.reduce(into: [:]) { $0[$1.change.id] = positions[$1.fence] }
    }
}

extension [Change] {
    /// The changes that get a fence, each with its own; `nil` if there are not as many fences.
    func pairedWithFences(_ fences: [Fence]) -> [(change: Change, fence: Fence)]? {
        let changed = filter { change in
            switch change {
            case .insert, .replace, .move: true
            case .delete, .assert: false
            }
        }
        return changed.count == fences.count ? zip(changed, fences).map { ($0, $1) } : nil
    }
}
