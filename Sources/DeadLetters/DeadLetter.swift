// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Where a letter comes from.
public struct DeadLetterOrigin: Hashable, Sendable {
    /// The queue, topic or endpoint; at most 255 bytes.
    public var source: String
    /// What it was called there; at most 1,024 bytes.
    public var id: String
    /// Its position there, for those who must keep an order.
    public var position: UInt64?
    /// Its order key there; at most 255 bytes.
    public var orderKey: String?

    /// An origin from its parts.
    public init(source: String, id: String, position: UInt64? = nil, orderKey: String? = nil) {
        self.source = source
        self.id = id
        self.position = position
        self.orderKey = orderKey
    }
}

/// A letter that is to be put into a queue of dead letters.
public struct NewDeadLetter: Hashable, Sendable {
    /// The letter's name in its queue: putting the same name again adds nothing. 1 to 1,024 bytes.
    public var id: String
    /// Why it is set aside.
    public var reason: DeadLetterReason
    /// Where it comes from.
    public var origin: DeadLetterOrigin
    /// The bytes that could not be processed, as they came; at most ``RecordDeadLetterQueue/maximumPayload``.
    public var payload: [UInt8]
    /// Opaque pairs that came with it, such as a trace context; at most 16 KiB in all.
    public var headers: [String: String]
    /// What was tried.
    public var failures: FailureHistory
    /// When it came to where it comes from, if that is known.
    public var enqueuedAt: Timestamp?

    /// A letter from its parts.
    public init(
        id: String, reason: DeadLetterReason, origin: DeadLetterOrigin, payload: [UInt8],
        headers: [String: String] = [:], failures: FailureHistory = FailureHistory(), enqueuedAt: Timestamp? = nil
    ) {
        self.id = id
        self.reason = reason
        self.origin = origin
        self.payload = payload
        self.headers = headers
        self.failures = failures
        self.enqueuedAt = enqueuedAt
    }
}

/// Something that could not be processed, with everything that is known about why.
///
/// A letter keeps its name, its place and its times for as long as it stands, also when it is handed out again and
/// fails again. Nothing but a redrive that succeeds removes it.
public struct DeadLetter: Hashable, Sendable {
    /// The letter's name in its queue.
    public let id: String
    /// Its place among all letters: the order in which they were put.
    public let position: UInt64
    /// Why it was set aside.
    public let reason: DeadLetterReason
    /// Where it comes from.
    public let origin: DeadLetterOrigin
    /// The bytes that could not be processed.
    public let payload: [UInt8]
    /// Opaque pairs that came with it.
    public let headers: [String: String]
    /// What was tried, failed redrives included.
    public internal(set) var failures: FailureHistory
    /// When it came to where it comes from, if that is known.
    public let enqueuedAt: Timestamp?
    /// When it was put.
    public let deadLetteredAt: Timestamp
    /// How often it was handed out to a redrive, counted before the handler sees it; a redrive that is under way, that
    /// failed, was cancelled or died counts.
    public let redriveCount: Int
    let arrival: DeadLetterBody.Arrival?
    /// How often it had been given to a handler before it was a letter.
    package var deliveries: Int { arrival?.deliveries ?? 0 }

    /// When it failed for the first time; `nil` if it never failed.
    public var firstFailureAt: Timestamp? { failures.first?.time }
    /// When it failed last; `nil` if it never failed.
    public var lastFailureAt: Timestamp? { failures.last?.time }
}

extension DeadLetter {
    /// A letter from its parts, for queues of your own.
    public init(
        id: String, position: UInt64, reason: DeadLetterReason, origin: DeadLetterOrigin, payload: [UInt8],
        headers: [String: String], failures: FailureHistory, enqueuedAt: Timestamp?, deadLetteredAt: Timestamp,
        redriveCount: Int
    ) {
        self.init(
            id: id, position: position, reason: reason, origin: origin, payload: payload, headers: headers,
            failures: failures, enqueuedAt: enqueuedAt, deadLetteredAt: deadLetteredAt, redriveCount: redriveCount,
            arrival: nil)
    }
}
