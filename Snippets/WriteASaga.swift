// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Sagas

// snippet.hide
struct Trip: Codable, Sendable {
    var from: String
    var to: String
    var nights: Int
    var cents: Int
}

struct Ticket: Codable, Sendable {
    var number: String
    var arrival: String
}

struct Airline: Sendable {
    func book(_ trip: Trip, key: String) async throws -> Ticket { Ticket(number: key, arrival: "12:00") }
    func cancel(_ key: String) async throws {}
    func send(_ number: String, key: String) async throws {}
}

struct Hotel: Sendable {
    func book(from arrival: String, nights: Int, key: String) async throws {}
    func cancel(_ key: String) async throws {}
}

struct Bank: Sendable {
    func pay(_ cents: Int, key: String) async throws {}
    func payment(under key: String) async throws -> String? { nil }
}

struct Gateway: Error {
    var status: Int
}

struct Rooms: Sendable {
    func booking(_ key: String) -> Change { .insert(RecordID("rooms", key), RecordContent(state: "booked")) }
    func cancellation(_ key: String) -> Change { .assert(RecordID("rooms", key), nil) }
}

let (airline, hotel, cars, bank, rooms) = (Airline(), Hotel(), Hotel(), Bank(), Rooms())
let store = try FileRecordStore(directory: "/var/lib/travel/records")
// snippet.show
let flight = SagaStep<Trip, Ticket>("flight", ifUnknown: .reexecute) { context in
    try await airline.book(context.input, key: context.key)
} compensation: { context, ticket in
    try await airline.cancel(context.forwardKey)
}
// snippet.hide
// snippet.show
let room = SagaStep<Trip, Void>("hotel", ifUnknown: .reexecute) { context in
    let ticket = try context.output(of: flight)
    try await hotel.book(from: ticket.arrival, nights: context.input.nights, key: context.key)
} compensation: { context in
    try await hotel.cancel(context.forwardKey)
}
.retry(.attempts(5, backoff: .exponential(initial: .milliseconds(200), maximum: .seconds(5))))
.timeLimit(perAttempt: .seconds(10), inAll: .seconds(60))
// snippet.hide
// snippet.show
let car = SagaStep<Trip, Void>(
    "car", ifUnknown: .reexecute,
    classify: { error in
        switch (error as? Gateway)?.status {
        case 404, 409: .notApplied
        case 500: .failed
        default: nil
        }
    }
) { context in
    try await cars.book(from: context.output(of: flight).arrival, nights: context.input.nights, key: context.key)
} compensation: { context in
    try await cars.cancel(context.forwardKey)
}
// snippet.hide
// snippet.show
let pay = SagaStep<Trip, Void>.pivot(
    "pay",
    ifUnknown: .probe { context in
        try await bank.payment(under: context.key) == nil ? .notApplied : .applied
    }
) { context in
    try await bank.pay(context.input.cents, key: context.key)
}
// snippet.hide
// snippet.show
let trip = SagaDefinition<Trip>("trip", version: 1, deadline: .seconds(900)) {
    flight
    SagaParallel {
        room
        car
    }
    pay
    SagaStep.retriable("ticket", ifUnknown: .reexecute) { context in
        try await airline.send(context.output(of: flight).number, key: context.key)
    }
}
// snippet.hide
// snippet.show
let fence = StepFence("hotel", store: store)

func book(_ key: String) async throws {
    try await fence.begin(key) { [rooms.booking(key)] }
}

func cancel(_ key: String) async throws {
    try await fence.undo(key) { [rooms.cancellation(key)] }
}
// snippet.hide
// snippet.show
print(trip.mermaid)
