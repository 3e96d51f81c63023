// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Which letters a redrive brings back, and how fast.
public struct RedrivePlan: Hashable, Sendable {
    /// Which letters are meant. Letters that are put after the start are left to another redrive.
    public var filter: DeadLetterFilter
    /// How fast: never more than a tenth of a second's letters at once, but one at least and 100 at most, and others only
    /// when the time of these is over; also over crashes and resumptions.
    public var rate: Pace
    /// How many letters are handed out at most, taken or not; by default all. With a handler outside the store, those of
    /// one batch that a crash leaves uncounted come on top.
    public var limit: Int?

    /// A plan from its parts; by default every letter, 10 a second.
    public init(filter: DeadLetterFilter = .all, rate: Pace = .perSecond(10), limit: Int? = nil) {
        precondition(limit ?? 1 > 0, "A redrive brings back at least 1 letter, not \(limit ?? 1)")
        self.filter = filter
        self.rate = rate
        self.limit = limit
    }
}

/// How far a redrive has come.
public struct RedriveProgress: Hashable, Sendable {
    /// What a redrive does.
    public enum State: String, Hashable, Sendable {
        /// It goes on as soon as somebody runs it.
        case running
        /// It stands still until it is resumed.
        case paused
        /// It was ended before it had seen all.
        case cancelled
        /// It has seen all that it was meant to.
        case done
    }

    /// What it does.
    public internal(set) var state: State
    /// What it was asked for.
    public let plan: RedrivePlan
    /// Where the letters go.
    public let destination: String
    /// When it was started.
    public let startedAt: Timestamp
    /// Letters that were brought back.
    public internal(set) var redriven = 0
    /// Letters that the destination's handler did not take; they stay.
    public internal(set) var failed = 0
    /// Letters that were held, in the way of another item, or not to be read; they stay.
    public internal(set) var skipped = 0
    /// The position of the last letter that was looked at.
    var cursor: UInt64?
    /// Before when no further letter may go.
    var notBefore: Timestamp

    init(_ plan: RedrivePlan, destination: String, at now: Timestamp) {
        state = .running
        self.plan = plan
        self.destination = destination
        startedAt = now
        notBefore = now
    }
}

// MARK: Bytes

extension RedriveProgress {
    static let version: UInt8 = 1

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.version)
        writer.write(destination)
        let filter = plan.filter
        for text in [filter.reason, filter.errorType, filter.source, filter.orderKey] {
            writer.write(text) { $0.write($1) }
        }
        for time in [filter.from, filter.until] { writer.write(time) { $0.write($1.nanosecondsSince1970) } }
        for number in [filter.maximumRedrives, plan.limit] {
            writer.write(number) { $0.write(variable: UInt64(max(0, $1))) }
        }
        writer.write(variable: UInt64(plan.rate.count))
        writer.write(plan.rate.period.nanosecondsRoundedUp)
        writer.write(startedAt.nanosecondsSince1970)
        for number in [redriven, failed, skipped] { writer.write(variable: UInt64(number)) }
        writer.write(cursor) { $0.write($1) }
        return writer.bytes
    }

    init(_ record: Record) throws(MalformedBytes) {
        var reader = ByteReader(record.body)
        guard try reader.readUInt8() == Self.version, let state = State(rawValue: record.state) else {
            throw MalformedBytes(offset: 0)
        }
        destination = try reader.readString()
        var filter = DeadLetterFilter()
        filter.reason = try reader.readText()
        filter.errorType = try reader.readText()
        filter.source = try reader.readText()
        filter.orderKey = try reader.readText()
        filter.from = try reader.readTime()
        filter.until = try reader.readTime()
        filter.maximumRedrives = try reader.readWhole()
        let limit = try reader.readWhole()
        guard let count = try reader.readWholeNumber(), count > 0, limit ?? 1 > 0 else { throw reader.malformed }
        let period = try reader.readInt64()
        guard period > 0 else { throw reader.malformed }
        plan = RedrivePlan(filter: filter, rate: Pace(count, per: .nanoseconds(period)), limit: limit)
        startedAt = try reader.readTimestamp()
        (redriven, failed, skipped) = (try reader.readNumber(), try reader.readNumber(), try reader.readNumber())
        cursor = try reader.readOptional { reader throws(MalformedBytes) in try reader.readUInt64() }
        notBefore = record.dueAt ?? startedAt
        try reader.finish()
        self.state = state
    }
}

extension ByteReader {
    fileprivate mutating func readText() throws(MalformedBytes) -> String? {
        try readOptional { reader throws(MalformedBytes) in try reader.readString() }
    }

    fileprivate mutating func readTime() throws(MalformedBytes) -> Timestamp? {
        try readOptional { reader throws(MalformedBytes) in try reader.readTimestamp() }
    }

    fileprivate mutating func readWhole() throws(MalformedBytes) -> Int? {
        try readOptional { reader throws(MalformedBytes) in
            guard let number = try reader.readWholeNumber() else { throw reader.malformed }
            return number
        }
    }

    fileprivate mutating func readWholeNumber() throws(MalformedBytes) -> Int? { Int(exactly: try readVariable()) }
}
