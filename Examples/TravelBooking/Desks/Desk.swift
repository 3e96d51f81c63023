// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Sagas

/// Those that a trip needs, each a process of its own.
enum DeskName: String, Hashable, Sendable, CaseIterable {
    case flight
    case hotel
    case car
    case bank

    /// Where something is booked, and can be cancelled.
    static let bookings: [DeskName] = [.flight, .hotel, .car]
}

/// What a desk is asked for.
struct DeskRequest: Codable, Hashable, Sendable {
    enum Verb: String, Codable, Sendable {
        /// Book it; of the bank, take the money.
        case take
        /// Undo what was taken under the key, if anything was.
        case cancel
        /// It is not given back any more.
        case confirm
        /// Say whether anything was taken under the key.
        case look
    }

    let verb: Verb
    /// The key of the step that takes, whatever is asked for.
    let key: String
    let trip: String
}

/// What a desk answers.
enum DeskAnswer: String, Hashable, Sendable {
    /// It is so, by this request or an earlier one.
    case done
    /// There is nothing left, or no money; nothing was taken.
    case refused
    /// What is asked for comes too late; nothing was done.
    case late
    /// Nothing was taken under that key.
    case nothing
    /// The desk behind has not answered in time. What became of the request is not known.
    case timedOut
}

/// One line of a desk's ledger: what took effect, and for which trip.
struct Movement: Hashable, Sendable {
    enum Kind: String, Hashable, Sendable {
        case taken
        case givenBack
        case final
    }

    let kind: Kind
    let trip: String
}

/// What a desk does with requests: its ledger and its fence are records of one store.
///
/// A line of the ledger has no name that a second one would meet: nothing but the fence, which changes in the same
/// commit, keeps a request from taking effect twice, or after it was undone.
struct Desk {
    /// What happens to some of the trips, the same ones every time: to one in so many; to none if that is zero.
    struct Faults: Hashable, Sendable {
        /// There is nothing left.
        var refused = 0
        /// It takes effect, and the first answer is lost.
        var lost = 0
        /// The request lingers somewhere, until after it was cancelled.
        var lingering = 0
    }

    let name: DeskName
    private let store: any RecordStore
    private let fence: StepFence
    private let faults: Faults
    /// Requests that are still on their way.
    private var lingering: [String: DeskRequest] = [:]

    init(_ name: DeskName, store: any RecordStore, faults: Faults = Faults()) {
        self.name = name
        self.store = store
        self.faults = faults
        fence = StepFence(name.rawValue, store: store)
    }

    /// - Returns: The answer; `nil` if it is lost on its way.
    mutating func answer(_ request: DeskRequest) async throws -> DeskAnswer? {
        do {
            switch request.verb {
            case .take:
                if hits(faults.refused, request, salt: 1) { return .refused }
                if hits(faults.lingering, request, salt: 2) {
                    lingering[request.key] = request
                    return .timedOut
                }
                let isFirst = try await take(request)
                return isFirst && hits(faults.lost, request, salt: 3) ? nil : .done
            case .cancel:
                try await fence.undo(request.key) { [line(.givenBack, request)] }
                // What has lingered comes now, when nobody waits for it any more.
                if let late = lingering.removeValue(forKey: request.key) { _ = try? await take(late) }
                return .done
            case .confirm:
                try await fence.confirm(request.key) { [line(.final, request)] }
                return .done
            case .look:
                return switch try await fence.state(of: request.key) {
                case .tried, .committed: .done
                case .rolledBack, .suspended, nil: .nothing
                }
            }
        } catch is StepRefused {
            return .late
        }
    }

    private func take(_ request: DeskRequest) async throws -> Bool {
        try await fence.begin(request.key) { [line(.taken, request)] }
    }

    private func line(_ kind: Movement.Kind, _ request: DeskRequest) -> Change {
        .insert(
            RecordID("ledger", "\(UInt64.random(in: 0 ... .max))"),
            RecordContent(state: kind.rawValue, headers: ["trip": request.trip]))
    }

    /// The ledger of a desk.
    static func movements(in store: any RecordStore) async throws -> [Movement] {
        var (movements, position): ([Movement], UInt64?) = ([], nil)
        repeat {
            let page = try await store.scan("ledger", state: nil, after: position, limit: 1_000)
            movements += page.records.compactMap { record in
                Movement.Kind(rawValue: record.state).map { Movement(kind: $0, trip: record.headers["trip"] ?? "") }
            }
            position = page.next
        } while position != nil
        return movements
    }

    /// The hash FNV-1a (Fowler, Noll and Vo), since `Hasher` gives other values in every process.
    private func hits(_ share: Int, _ request: DeskRequest, salt: UInt8) -> Bool {
        guard share > 0 else { return false }
        let hash = (Array(request.trip.utf8) + Array(name.rawValue.utf8) + [salt])
            .reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        return (hash >> 16) % UInt64(share) == 0
    }
}
