// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ExampleProcesses
import Foundation
import ReliabilityTesting
import Sagas
import Synchronization
import Testing

@testable import travel_booking

@Suite struct `A desk` {
    private static func request(_ verb: DeskRequest.Verb, trip: String = "t", desk: DeskName = .hotel) -> DeskRequest {
        DeskRequest(verb: verb, key: TripSaga.key(of: desk, for: trip), trip: trip)
    }

    private static func ledger(_ store: any RecordStore) async throws -> [Movement.Kind] {
        try await Desk.movements(in: store).map(\.kind)
    }

    @Test(arguments: StoreKind.all)
    func `does what it is asked for once`(_ kind: StoreKind) async throws {
        let directory = try TemporaryDirectory()
        let store = try kind.make(ManualClock(), directory)
        var desk = Desk(.hotel, store: store)
        for verb in [DeskRequest.Verb.take, .take, .cancel, .cancel] {
            #expect(try await desk.answer(Self.request(verb)) == .done)
        }
        #expect(try await Self.ledger(store) == [.taken, .givenBack])
        #expect(try await desk.answer(Self.request(.take)) == .late)
        #expect(try await desk.answer(Self.request(.confirm)) == .late)
        for verb in [DeskRequest.Verb.take, .confirm, .confirm] {
            #expect(try await desk.answer(Self.request(verb, trip: "u")) == .done)
        }
        #expect(try await desk.answer(Self.request(.cancel, trip: "u")) == .late)
        #expect(try await Self.ledger(store) == [.taken, .givenBack, .taken, .final])
        #expect(try await Desk.movements(in: store).map(\.trip) == ["t", "t", "u", "u"])
    }

    @Test func `carries out nothing that has lingered until after it was cancelled`() async throws {
        let store = InMemoryRecordStore()
        var desk = Desk(.hotel, store: store, faults: Desk.Faults(lingering: 1))
        for _ in 0..<2 { #expect(try await desk.answer(Self.request(.take)) == .timedOut) }
        #expect(try await desk.answer(Self.request(.cancel)) == .done)
        #expect(try await Self.ledger(store) == [])
        #expect(try await StepFence("hotel", store: store).state(of: "t/hotel/forward") == .suspended)
    }

    @Test func `loses the first answer, and refuses, for the same trips every time`() async throws {
        let store = InMemoryRecordStore()
        var desk = Desk(.hotel, store: store, faults: Desk.Faults(refused: 5, lost: 7))
        var answers: [[DeskAnswer?]] = []
        for _ in 0..<2 {
            var turn: [DeskAnswer?] = []
            for number in 0..<100 { turn.append(try await desk.answer(Self.request(.take, trip: "t\(number)"))) }
            answers.append(turn)
        }
        #expect(Set(answers[0]) == [.done, .refused, nil])
        #expect(answers[1] == answers[0].map { $0 ?? .done })
        #expect(try await Self.ledger(store).count == answers[1].count { $0 == .done })
    }
}

/// The saga with desks in this process.
@Suite struct `A trip` {
    enum Fault: Hashable {
        case unreachable
        case refused
        case timedOut
        case requestLost
        case answerLost
    }

    private final class Town: Sendable {
        let stores = Dictionary(uniqueKeysWithValues: DeskName.allCases.map { ($0, InMemoryRecordStore()) })
        private let faults: Locked<[DeskName: [Fault]]>
        private let requests = Locked<Set<String>>([])

        init(_ faults: [DeskName: [Fault]]) { self.faults = Locked(faults) }

        var asked: Set<String> { requests.withLock { $0 } }

        /// What a desk says, after the faults that are listed for it.
        func ask(_ name: DeskName, _ request: DeskRequest) async -> DeskReply {
            requests.withLock { _ = $0.insert("\(request.verb) \(name)") }
            let fault = faults.withLock { faults -> Fault? in
                guard request.verb == .take, faults[name]?.isEmpty == false else { return nil }
                return faults[name]?.removeFirst()
            }
            switch fault {
            case .unreachable: return .unreachable
            case .refused: return .answered(.refused)
            case .timedOut: return .answered(.timedOut)
            case .requestLost: return .lost
            case .answerLost, nil: break
            }
            guard let store = stores[name] else { return .unreachable }
            var desk = Desk(name, store: store)
            guard let answer = try? await desk.answer(request) else { return .lost }
            return fault == .answerLost ? .lost : .answered(answer)
        }
    }

    @Test(
        arguments: [
            ([:], SagaStatus.State.completed, []),
            ([.flight: [.unreachable, .answerLost, .requestLost, .unreachable]], .completed, []),
            ([.bank: [.answerLost]], .completed, []),
            ([.bank: [.unreachable, .requestLost]], .completed, []),
            ([.flight: [.refused]], .compensated, []),
            ([.car: [.refused]], .compensated, [.flight, .hotel]),
            // Nobody knows what became of it, so it is cancelled as well.
            ([.hotel: [.timedOut]], .compensated, [.flight, .hotel, .car]),
            ([.bank: [.refused]], .compensated, [.flight, .hotel, .car]),
            // Refused only at the second call: whether the first one took the money has to be asked.
            ([.bank: [.requestLost, .refused]], .compensated, [.flight, .hotel, .car]),
        ] as [([DeskName: [Fault]], SagaStatus.State, Set<DeskName>)])
    func `is booked as a whole or cancelled as a whole`(
        _ faults: [DeskName: [Fault]], _ state: SagaStatus.State, _ cancelled: Set<DeskName>
    ) async throws {
        let town = Town(faults)
        let definition = TripSaga { await town.ask($0, $1) }.definition
        let clock = ManualClock()
        let sagas = SagaCoordinator(
            "trips", store: InMemoryRecordStore(clock: clock), definitions: definition, clock: clock)
        let trip = Trip.examples(1)[0]
        try await sagas.start(definition, id: trip.id, input: trip)
        for _ in 0..<100 where try await sagas.status(trip.id)?.result == nil {
            _ = try await sagas.recover()
            clock.advance(by: .milliseconds(50))
        }
        #expect(Set(town.asked.filter { $0.hasPrefix("cancel") }) == Set(cancelled.map { "cancel \($0)" }))
        #expect(town.asked.contains("confirm car") == (state == .completed))
        var ledgers: [DeskName: [Movement]] = [:]
        for (name, store) in town.stores { ledgers[name] = try await Desk.movements(in: store) }
        let found = try #require(try await sagas.status(trip.id)).state
        #expect(found == state)
        #expect(Audit([trip], states: [trip.id: found], ledgers: ledgers).isSound)
    }
}

@Suite struct `The audit` {
    private static let trip = Trip.examples(1)
    private static func ledgers(_ movements: [DeskName: [Movement.Kind]]) -> [DeskName: [Movement]] {
        movements.mapValues { $0.map { Movement(kind: $0, trip: "trip-0") } }
    }
    private static let whole: [DeskName: [Movement.Kind]] = [
        .flight: [.taken, .final], .hotel: [.taken, .final], .car: [.taken, .final], .bank: [.taken],
    ]
    private static let undone: [DeskName: [Movement.Kind]] = [.flight: [.taken, .givenBack], .hotel: []]

    @Test func `is content with what is whole, and with what is undone`() {
        let booked = Audit(Self.trip, states: ["trip-0": .completed], ledgers: Self.ledgers(Self.whole))
        #expect(booked.isSound && booked.booked == 1)
        let cancelled = Audit(Self.trip, states: ["trip-0": .compensated], ledgers: Self.ledgers(Self.undone))
        #expect(cancelled.isSound && cancelled.cancelled == 1)
    }

    @Test(arguments: [
        (SagaStatus.State.completed, DeskName.hotel, [Movement.Kind](), "half"), (.completed, .hotel, [.taken], "half"),
        (.completed, .hotel, [.taken, .final, .givenBack], "half"), (.completed, .bank, [], "half"),
        (.completed, .bank, [.taken, .taken], "twice half"),
        (.completed, .car, [.taken, .final, .final], "twice half"),
        (.compensated, .hotel, [.taken], "half"), (.compensated, .bank, [.taken], "half"),
        (.compensated, .hotel, [.taken, .givenBack, .final], "half"), (.compensated, .hotel, [.givenBack], "half"),
        (.compensated, .hotel, [.taken, .taken, .givenBack, .givenBack], "twice half"),
        (.stuck, .hotel, [.taken, .final], "unfinished"), (.running, .hotel, [.taken], "unfinished"),
    ])
    func `finds what does not fit`(
        _ state: SagaStatus.State, _ desk: DeskName, _ movements: [Movement.Kind], _ faults: String
    ) {
        var found = state == .compensated ? Self.undone : Self.whole
        found[desk] = movements
        let audit = Audit(Self.trip, states: ["trip-0": state], ledgers: Self.ledgers(found))
        #expect(!audit.isSound)
        let expected = ["twice", "half", "unfinished"].map { faults.contains($0) ? 1 : 0 }
        #expect([audit.twice, audit.half, audit.unfinished] == expected)
        #expect(audit.table.split(separator: "\n").allSatisfy { $0.count == 45 })
    }
}

/// The built program itself, with its desks and its coordinator as processes of their own.
@Suite struct `A run` {
    @Test func `books or cancels every trip as a whole, whoever is killed`() throws {
        let program = Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("travel-booking")
        guard let program, FileManager.default.isExecutableFile(atPath: program.path) else {
            try Test.cancel("the program is not beside the tests")
        }
        let directory = try ReliabilityTesting.TemporaryDirectory()
        func run(_ words: String...) throws -> [Substring] {
            let (process, output) = (Process(), Pipe())
            process.executableURL = program
            process.arguments = words
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationReason == .exit && process.terminationStatus == 0, "\(text)")
            return text.split(separator: "\n")
        }
        let place = directory.path + "/run"
        // The second run finds everything done.
        let runs = try [3, 0].map { crashes in
            try run(place, "--count", "60", "--crashes", "\(crashes)").filter { !$0.contains("was killed") }
        }
        #expect(runs[0] == runs[1])
        #expect(runs[0].prefix(1) == ["trips                                      60"])
        let trips = try run("trips", place)
        #expect(trips.count == 60 && trips.allSatisfy { $0.contains("\tcomp") })
        #expect(try run("timeline", place, "trip-7").first?.hasSuffix("saga trip-7") == true)
        #expect(!FileManager.default.fileExists(atPath: place + "/hotel.sock"))
    }
}

@Suite struct `A command` {
    @Test(arguments: [
        ([], "a directory is required; see --help"), (["d", "e"], "unknown argument e; see --help"),
        (["d", "--fast"], "unknown argument --fast; see --help"),
        (["d", "--count"], "--count needs a number from 0 to 1000000"),
        (["d", "--crashes", "-1"], "--crashes needs a number from 0 to 1000000"),
        (["desk", "boat", "s", "r", "0", "0", "0"], "no desk boat"),
        (["desk", "car", "s", "r", "x", "0", "0"], "REFUSED needs a number from 0 to 1000000"),
    ])
    func `that cannot be done is refused`(_ words: [String], _ message: String) {
        #expect { try Command(words) } throws: { "\($0)" == message }
    }

    @Test func `is taken`() throws {
        var options = try Options(["d"])
        #expect(try Command(["d"]) == .run(options) && options.count == 200 && options.crashes == 0)
        (options.count, options.crashes) = (7, 2)
        #expect(try Command(["--count", "7", "d", "--crashes", "2"]) == .run(options))
        #expect(try Command(["timeline", "d", "t"]) == .timeline(directory: "d", trip: "t"))
        #expect(try Command(["trips", "d"]) == .trips(directory: "d") && (try Command(["--help"])) == .help)
    }
}
