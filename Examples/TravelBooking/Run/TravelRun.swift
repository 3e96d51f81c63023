// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ExampleProcesses
internal import Foundation
internal import Sagas

/// A whole run: four desks and the coordinator, each in a process of its own and killed as often as wanted; at the end
/// the books are compared.
struct TravelRun {
    let options: Options
    private var desks: [DeskName: Child] = [:]
    private var kills: [String: Int] = [:]

    init(options: Options) { self.options = options }

    mutating func run() async throws -> (audit: Audit, timeline: String) {
        let place = Workplace(directory: options.directory)
        try place.prepare()
        defer { for desk in desks.values { desk.stop() } }
        for name in DeskName.allCases {
            try open(name, place)
            guard desks[name]?.line() == "ready" else { throw Failure(description: "the \(name) did not start") }
        }
        try coordinate(place)
        for desk in desks.values { desk.stop() }
        desks = [:]
        var (audit, timeline) = try await place.audit(Trip.examples(options.count))
        audit.kills = kills
        return (audit, timeline)
    }

    private mutating func open(_ name: DeskName, _ place: Workplace) throws {
        let faults = name.faults
        let numbers = [faults.refused, faults.lost, faults.lingering].map { String($0) }
        desks[name] = try Child(["desk", name.rawValue, place.socket(name), place.records(name.rawValue)] + numbers)
    }

    /// Starts the coordinator until it has done everything. In each life but the last it tells of an equal share of the
    /// trips; meanwhile each desk is killed once, at a moment that nobody knows.
    private mutating func coordinate(_ place: Workplace) throws {
        // Of some it has no time to tell, so the last life gets more.
        let share = max(1, options.count / (options.crashes + 2))
        for name in ["coordinator"] + DeskName.allCases.map(\.rawValue) { kills[name] = 0 }
        for life in 0...options.crashes {
            let isLast = life == options.crashes
            let coordinator = try Child(["coordinator", place.directory, String(options.count)])
            let moments = DeskName.allCases.map { (desk: $0, moment: Int.random(in: 1...share)) }
            var ended = 0
            while coordinator.line() != nil {
                ended += 1
                guard !isLast else { continue }
                for (name, moment) in moments where moment == ended {
                    desks[name]?.kill()
                    killed(name.rawValue)
                    // Until it is there, nobody reaches it.
                    try open(name, place)
                }
                guard ended == share else { continue }
                coordinator.kill()
                killed("coordinator")
            }
            // One that has done everything before its time ends by itself.
            if isLast || ended < share { return try coordinator.requireSuccess("coordinator") }
        }
    }

    private mutating func killed(_ name: String) {
        kills[name, default: 0] += 1
        FileHandle.standardError.write(Data("the \(name) was killed\n".utf8))
    }
}

extension DeskName {
    /// What goes wrong at this desk.
    fileprivate var faults: Desk.Faults {
        switch self {
        case .flight: Desk.Faults(refused: 25, lost: 7)
        case .hotel: Desk.Faults(refused: 20, lost: 7, lingering: 15)
        case .car: Desk.Faults(refused: 25, lost: 7, lingering: 15)
        case .bank: Desk.Faults(refused: 12, lost: 7)
        }
    }
}

/// Where things are in the directory of a run.
struct Workplace {
    let directory: String

    func socket(_ name: DeskName) -> String { "\(directory)/\(name).sock" }

    func records(_ name: String) -> String { "\(directory)/\(name)" }

    func prepare() throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Runs with the sagas of a run that has ended.
    func withSagas<Success>(_ work: (SagaCoordinator) async throws -> Success) async throws -> Success {
        let store = try FileRecordStore(directory: records("sagas"))
        let result = try await work(SagaCoordinator("trips", store: store))
        try await store.close()
        return result
    }

    /// Compares the books, and has the longest story told.
    func audit(_ trips: [Trip]) async throws -> (Audit, timeline: String) {
        var (ledgers, suspended): ([DeskName: [Movement]], Int) = ([:], 0)
        for name in DeskName.allCases {
            let store = try FileRecordStore(directory: records(name.rawValue))
            ledgers[name] = try await Desk.movements(in: store)
            let fence = StepFence(name.rawValue, store: store)
            for trip in trips where try await fence.state(of: TripSaga.key(of: name, for: trip.id)) == .suspended {
                suspended += 1
            }
            try await store.close()
        }
        return try await withSagas { sagas in
            var (states, longest, timeline): ([String: SagaStatus.State], Int, String) = ([:], 0, "")
            for trip in trips {
                states[trip.id] = try await sagas.status(trip.id)?.state
                let length = try await sagas.history(trip.id).count
                guard length > longest, let text = try await sagas.timeline(trip.id) else { continue }
                (longest, timeline) = (length, text)
            }
            var audit = Audit(trips, states: states, ledgers: ledgers)
            audit.suspended = suspended
            return (audit, timeline)
        }
    }
}
