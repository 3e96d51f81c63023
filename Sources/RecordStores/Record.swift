// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A record that one worker at a time may hold for a while, and that changes only by whoever held it last.
///
/// Idempotency keys, queued items, dead letters and saga instances are all records; what their states and bodies mean
/// is their module's business.
public struct Record: Hashable, Sendable {
    /// The record's name.
    public let id: RecordID
    /// The number that the next change has to name; new on every insert, replace and claim.
    public var fence: Fence
    /// The fence that the last replace or move named; `nil` until the first one.
    ///
    /// After an unknown outcome this answers whether a replace is in: it is if this equals the fence that it named.
    public var changedUnder: Fence?
    /// Who claimed the record last and has not let go of it; the hold counts only until ``leaseUntil``.
    public var holder: Holder?
    /// When the hold ends unless it is extended; `nil` if nobody holds the record.
    public var leaseUntil: Timestamp?
    /// From when on the record may be claimed as due; `nil` if it never is and can be claimed by its name alone.
    public var dueAt: Timestamp?
    /// The record's place among all records of the store: the sequence number of its insert, kept through replaces.
    public let position: UInt64
    /// Records of one collection with the same order key are handed out in the order of their positions.
    public var orderKey: String?
    /// From when on the record is absent to every operation, unless somebody holds it; `nil` if it stays.
    public var expiresAt: Timestamp?
    /// A short ASCII label for people and queries.
    public var state: String
    /// How many times the record was handed out, counting an insert that was leased at once.
    public var claims: Int
    /// When the record was inserted.
    public let createdAt: Timestamp
    /// The module's own bytes.
    public var body: [UInt8]
    /// Opaque pairs that travel with the record, such as a trace context.
    public var headers: [String: String]

    /// Whether somebody holds the record at `now`; a lease has ended at its very end.
    public func isHeld(at now: Timestamp) -> Bool {
        guard let leaseUntil else { return false }
        return leaseUntil > now
    }

    /// How much of the lease is left at `now`: zero if it has passed or nobody holds the record.
    public func leaseRemaining(at now: Timestamp) -> Duration {
        max(.zero, leaseUntil.map { now.duration(to: $0) } ?? .zero)
    }

    /// Whether the record counts as absent at `now`: past its expiry, and not held.
    public func isExpired(at now: Timestamp) -> Bool {
        guard let expiresAt else { return false }
        return expiresAt <= now && !isHeld(at: now)
    }
}

extension Record {
    /// A record from its parts, as a store reads it back.
    public init(
        id: RecordID, fence: Fence, changedUnder: Fence? = nil, holder: Holder? = nil, leaseUntil: Timestamp? = nil,
        dueAt: Timestamp? = nil, position: UInt64, orderKey: String? = nil, expiresAt: Timestamp? = nil, state: String,
        claims: Int = 0, createdAt: Timestamp, headers: [String: String] = [:], body: [UInt8] = []
    ) {
        // An initializer that assigns property by property makes a copy of the whole at its end; that of the members,
        // whose order is another one, makes none.
        self.init(
            id: id, fence: fence, changedUnder: changedUnder, holder: holder, leaseUntil: leaseUntil, dueAt: dueAt,
            position: position, orderKey: orderKey, expiresAt: expiresAt, state: state, claims: claims,
            createdAt: createdAt, body: body, headers: headers)
    }
}
