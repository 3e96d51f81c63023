// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Sagas

/// What the desks' ledgers and the sagas say, and whether it fits. Pure.
struct Audit: Hashable {
    let trips: Int
    private(set) var booked = 0
    private(set) var cancelled = 0
    private(set) var unfinished = 0
    private(set) var half = 0
    private(set) var twice = 0
    /// How many bookings were cancelled without ever having been made.
    var suspended = 0
    var kills: [String: Int] = [:]

    /// - Parameters:
    ///   - states: The sagas, by trip.
    ///   - ledgers: What took effect, by desk.
    init(_ trips: [Trip], states: [String: SagaStatus.State], ledgers: [DeskName: [Movement]]) {
        self.trips = trips.count
        var counts: [DeskName: [Movement: Int]] = [:]
        for (desk, movements) in ledgers {
            for movement in movements { counts[desk, default: [:]][movement, default: 0] += 1 }
        }
        for trip in trips {
            let found = DeskName.allCases.map { desk in
                [Movement.Kind.taken, .givenBack, .final].map { kind in
                    counts[desk]?[Movement(kind: kind, trip: trip.id)] ?? 0
                }
            }
            if found.joined().contains(where: { $0 > 1 }) { twice += 1 }
            switch states[trip.id] {
            case .completed:
                booked += 1
                let all = DeskName.allCases.map { $0 == .bank ? [1, 0, 0] : [1, 0, 1] }
                if found != all { half += 1 }
            case .compensated:
                cancelled += 1
                let isUndone = zip(DeskName.allCases, found).allSatisfy { desk, counts in
                    counts[0] == (desk == .bank ? 0 : counts[1]) && counts[1] <= 1 && counts[2] == 0
                }
                if !isUndone { half += 1 }
            case .running, .compensating, .stuck, .blocked, nil:
                unfinished += 1
            }
        }
    }

    var isSound: Bool { unfinished == 0 && half == 0 && twice == 0 }

    var table: String {
        let rows: [(String, Int)] =
            [
                ("trips", trips), ("  booked and paid", booked), ("  cancelled", cancelled),
                ("bookings cancelled before they came", suspended),
            ]
            + kills.sorted { $0.key < $1.key }.map { ("the \($0.key) was killed", $0.value) }
            + [
                ("unfinished (must be 0)", unfinished), ("half booked (must be 0)", half),
                ("booked twice (must be 0)", twice),
            ]
        return rows.map { label, number in
            let digits = String(number)
            return label + String(repeating: " ", count: 45 - label.count - digits.count) + digits
        }.joined(separator: "\n")
    }
}
