// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ExampleProcesses
internal import Foundation
internal import Sagas

@main
enum TravelBooking {
    static let help = """
        USAGE: travel-booking DIRECTORY [--count N] [--crashes N]
               travel-booking trips DIRECTORY
               travel-booking timeline DIRECTORY TRIP
               travel-booking diagram

        Books trips at a flight desk, a hotel, a car rental and a bank, each in a process of its own, and shows at the end
        what became of them. What is in the directory stays, and another run goes on from there.

          --count N     how many trips (200)
          --crashes N   how often the coordinator and each desk are killed in the middle and started again (0)

        trips: the trips of a run that has ended; timeline: what happened to one; diagram: what a trip does, for Mermaid
        """

    static func main() async {
        do {
            switch try Command(Array(CommandLine.arguments.dropFirst())) {
            case .help: print(help)
            case .run(let options):
                var run = TravelRun(options: options)
                let (audit, timeline) = try await run.run()
                print(audit.table)
                print("\n" + timeline, terminator: "")
                guard audit.isSound else { throw Failure(description: "the books do not fit") }
            case .trips(let directory): try await showTrips(of: directory)
            case .timeline(let directory, let trip):
                let text = try await Workplace(directory: directory).withSagas { try await $0.timeline(trip) }
                guard let text else { throw Failure(description: "there is no \(trip)") }
                print(text, terminator: "")
            case .diagram: print(TripSaga { _, _ in .unreachable }.definition.mermaid, terminator: "")
            case .coordinator(let directory, let count): try await coordinate(Workplace(directory: directory), count)
            case .desk(let name, let socket, let records, let faults):
                let store = try FileRecordStore(directory: records)
                var server = try DeskServer(socket: socket, desk: Desk(name, store: store, faults: faults))
                tell("ready")
                try await server.run()
                try await store.close()
            }
        } catch {
            FileHandle.standardError.write(Data("travel-booking: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Starts the trips, and drives them until each has ended; tells of each that does.
    private static func coordinate(_ place: Workplace, _ count: Int) async throws {
        exitWithParent()
        let store = try FileRecordStore(directory: place.records("sagas"))
        let definition = TripSaga { desk, request in
            await DeskClient(socket: place.socket(desk)).ask(request)
        }.definition
        let sagas = SagaCoordinator(
            // Whoever stops this example by force, again and again, is no fault of a step.
            "trips", store: store, definitions: definition, concurrency: 16, maxCrashes: 1_000_000,
            onEvent: { event in
                switch event.kind {
                case .completed, .compensated: tell(event.sagaID)
                default: break
                }
            })
        async let running: Void = sagas.run()
        let trips = Trip.examples(count)
        for trip in trips { try await sagas.start(definition, id: trip.id, input: trip) }
        for trip in trips { _ = try await sagas.saga(trip.id).result() }
        sagas.shutDown()
        try await running
        try await store.close()
    }

    private static func showTrips(of directory: String) async throws {
        try await Workplace(directory: directory).withSagas { sagas in
            var position: UInt64?
            repeat {
                let page = try await sagas.list(after: position)
                for status in page.sagas {
                    var why = "-"
                    if case .compensated(let cause) = status.result { why = "\(cause.step): \(cause.message)" }
                    print(status.sagaID, status.state, why, separator: "\t")
                }
                position = page.next
            } while position != nil
        }
    }
}
