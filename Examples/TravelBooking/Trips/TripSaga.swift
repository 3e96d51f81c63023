// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Sagas

/// What somebody wants to book.
struct Trip: Codable, Hashable, Sendable {
    /// The saga's identifier.
    let id: String
    let traveller: String

    /// So many trips, the same each time.
    static func examples(_ count: Int) -> [Trip] {
        (0..<count).map { Trip(id: "trip-\($0)", traveller: "Traveller \($0 % 30)") }
    }
}

/// What came of a request, as far as the one who made it can tell.
enum DeskReply: Hashable, Sendable {
    case answered(DeskAnswer)
    /// The request did not reach the desk.
    case unreachable
    /// The request was made and there is no answer: it may have taken effect.
    case lost
}

/// A trip: a flight, then a hotel and a car together, then the money, from which there is no way back, and at the end
/// the word that all of it is wanted.
struct TripSaga: Sendable {
    typealias Ask = @Sendable (DeskName, DeskRequest) async -> DeskReply
    typealias Step = SagaStep<Trip, Void>

    /// Whoever is not there is asked again soon: on this machine it is started again at once.
    private static let again = SagaRetry.unlimited(backoff: .constant(.milliseconds(50)))

    let ask: Ask

    var definition: SagaDefinition<Trip> {
        SagaDefinition("trip", version: 1) {
            booking(.flight)
            SagaParallel {
                booking(.hotel)
                booking(.car)
            }
            Step.pivot("pay", ifUnknown: .probe(hasPaid)) { context in
                try await request(.take, .bank, context, context.key)
            }.retry(Self.again).retryCompensation(Self.again)
            Step.retriable("confirm", ifUnknown: .reexecute) { context in
                for desk in DeskName.bookings {
                    try await request(.confirm, desk, context, Self.key(of: desk, for: context.sagaID))
                }
            }.retry(Self.again)
        }
    }

    /// The key under which a desk takes something for a trip, which is that of the step.
    static func key(of desk: DeskName, for trip: String) -> String { "\(trip)/\(desk)/forward" }

    /// The desks know keys, so a request whose answer was lost is made again. One that timed out is not: whether it was
    /// carried out, or will be, the compensation sees to it.
    private func booking(_ desk: DeskName) -> Step {
        SagaStep(desk.rawValue, ifUnknown: .reexecute, classify: { $0 is TimedOut ? .failed : nil }) { context in
            try await request(.take, desk, context, context.key)
        } compensation: { context in
            try await request(.cancel, desk, context, context.forwardKey)
        }
        .retry(Self.again)
        .retryCompensation(Self.again)
    }

    /// A bank that says no to a second call says nothing of the first, so it is asked: without an answer there is no way
    /// back. It serves one request after the other, so one that a killed coordinator has left behind comes first.
    private func hasPaid(_ context: SagaContext<Trip>) async throws -> SagaProbeAnswer<Void> {
        do {
            try await request(.look, .bank, context, context.key)
            return .applied
        } catch is Nothing {
            return .notApplied
        }
    }

    private func request(
        _ verb: DeskRequest.Verb, _ desk: DeskName, _ context: SagaContext<Trip>, _ key: String
    ) async throws {
        switch await ask(desk, DeskRequest(verb: verb, key: key, trip: context.sagaID)) {
        case .answered(.done): break
        case .answered(.refused): throw Refusal(desk: desk)
        case .answered(.nothing): throw Nothing(desk: desk)
        case .answered(.late): throw TooLate(desk: desk)
        case .answered(.timedOut): throw TimedOut(desk: desk)
        case .unreachable: throw Unreachable(desk: desk)
        case .lost: throw NoAnswer(desk: desk)
        }
    }
}

/// Nothing was taken, and asking again does not change that.
struct Refusal: Permanent, Hashable, CustomStringConvertible {
    let desk: DeskName
    var description: String { "the \(desk) says no" }
}

/// Nothing was taken there.
struct Nothing: NotApplied, Hashable, CustomStringConvertible {
    let desk: DeskName
    var description: String { "the \(desk) knows nothing of it" }
}

/// The request came after the one that undid it.
struct TooLate: Permanent, Hashable, CustomStringConvertible {
    let desk: DeskName
    var description: String { "too late for the \(desk)" }
}

/// The desk is not there; no request was made.
struct Unreachable: NotApplied, Hashable, CustomStringConvertible {
    let desk: DeskName
    var description: String { "the \(desk) cannot be reached" }
}

/// Nobody knows what became of the request, and it may still be on its way.
struct TimedOut: Error, Hashable, CustomStringConvertible {
    let desk: DeskName
    var description: String { "the \(desk) has not answered in time" }
}

/// The connection ended without an answer.
struct NoAnswer: Error, Hashable, CustomStringConvertible {
    let desk: DeskName
    var description: String { "the answer of the \(desk) was lost" }
}
