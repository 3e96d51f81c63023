// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What became of an order: the value that the idempotency key of the order keeps.
struct OrderOutcome: Codable, Equatable, Sendable {
    enum Result: String, Codable, Equatable, Sendable {
        /// Reserved, charged and shipped.
        case completed
        /// Everything that was done is undone.
        case compensated
        /// Nobody knows whether the card was charged, so somebody has to look.
        case parked
    }

    let result: Result
    /// The line of the input by which the order came first.
    let line: Int
}

/// What became of a line of the input: the state of the line's record.
enum LineOutcome: String, CaseIterable, Sendable {
    case completed
    case compensated
    case parked
    /// A duplicate, answered with what became of the first.
    case replayed
    /// The key of an earlier order with another payload.
    case mismatched
    case malformed

    init(_ outcome: OrderOutcome, line: Int) {
        guard outcome.line == line else {
            self = .replayed
            return
        }
        switch outcome.result {
        case .completed: self = .completed
        case .compensated: self = .compensated
        case .parked: self = .parked
        }
    }
}
