// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// One execution of a key, as the store knows it: what every call that settles or prolongs it names.
public struct IdempotencyExecution: Hashable, Sendable {
    /// The key.
    public let key: IdempotencyKey
    /// The number that the store compares. A checkpoint gives a new one.
    public var fence: Fence
    /// How often the key has been claimed since it was free, this time included.
    public let attempt: Int
    /// The fingerprint of the request that claimed the free key.
    public let fingerprint: StoredFingerprint
    /// The last checkpoint, of this execution or of one before it.
    public var checkpoint: IdempotencyCheckpoint?
    /// When the lease ends by the store's time; one that lies in the past if there is none.
    public var leaseUntil: Timestamp

    /// An execution from its parts, as a store reads it back.
    public init(
        key: IdempotencyKey, fence: Fence, attempt: Int, fingerprint: StoredFingerprint,
        checkpoint: IdempotencyCheckpoint? = nil, leaseUntil: Timestamp
    ) {
        self.key = key
        self.fence = fence
        self.attempt = attempt
        self.fingerprint = fingerprint
        self.checkpoint = checkpoint
        self.leaseUntil = leaseUntil
    }
}

/// What stands under a key.
public struct IdempotencyEntry: Hashable, Sendable {
    /// How far the key is, at the time of the answer.
    public enum State: Hashable, Sendable {
        /// An execution has it to itself for that long.
        case inProgress(leaseRemaining: Duration)
        /// Nobody executes it, and nobody knows what came of the last execution.
        case unknown(IdempotencyUnknownReason)
        /// It has an outcome, kept since a time that was so long ago.
        case completed(IdempotencyOutcome, at: Timestamp, age: Duration)
        /// What is kept cannot be read, because it was written in a later format; its fingerprint is that of no request.
        case unreadable(String)
    }

    /// The last execution.
    public let execution: IdempotencyExecution
    /// Whose claim the last one was; `nil` once the execution was settled.
    public let holder: Holder?
    /// The fence under which an outcome, an unknown outcome or a checkpoint was last kept; `nil` if none ever was.
    ///
    /// After an unknown outcome of such a call this answers whether it is in: it is if this equals the fence that the
    /// call named.
    public let settledUnder: Fence?
    /// Tells the entry from one of the same key that was released or expired before it, where a store needs that beside
    /// the fence: a number of its own choice.
    public let incarnation: UInt64
    /// How far the key is.
    public let state: State

    /// An entry from its parts, as a store reads it back.
    public init(
        execution: IdempotencyExecution, holder: Holder?, settledUnder: Fence?, incarnation: UInt64 = 0, state: State
    ) {
        self.incarnation = incarnation
        self.execution = execution
        self.holder = holder
        self.settledUnder = settledUnder
        self.state = state
    }

    /// The key.
    public var key: IdempotencyKey { execution.key }

    /// The execution as it goes on if a checkpoint of it is in, of which it may not know, and nobody has claimed the key
    /// since.
    func continuation(of earlier: IdempotencyExecution) -> IdempotencyExecution? {
        switch state {
        case .completed, .unreadable: return nil
        case .inProgress, .unknown: break
        }
        guard settledUnder == earlier.fence, holder != nil, execution.attempt == earlier.attempt else { return nil }
        return execution
    }
}

/// How an operation ended, as it is kept.
public enum IdempotencyOutcome: Hashable, Sendable {
    /// With a value, encoded.
    case value([UInt8])
    /// With an error that duplicates get too, encoded.
    case failure([UInt8])
    /// With a value that was too large to be kept, of so many bytes.
    case omitted(size: Int)

    /// The bytes that a kept value or error may have at most: a record takes no more.
    public static let longest = RecordLimits.body.upperBound - 4_096
}

/// Why nobody knows what came of an execution; the raw value is what stores keep.
public enum IdempotencyUnknownReason: UInt8, Hashable, Sendable, CaseIterable {
    /// Its lease passed before it was settled: its process is gone, or was held up.
    case leasePassed = 0
    /// Its handler threw an error that does not say.
    case failed = 1
    /// Its handler was cancelled.
    case cancelled = 2
    /// Its handler's value could not be kept, or the changes alongside did not find what they expected.
    case unsettled = 3
    /// It was claimed by a call that found, too late, that it must not execute; the execution before is the one in doubt.
    case claimedInError = 4
    /// An operator, or a value that was classified so.
    case declared = 5
}

/// How far a handler has got, in its own words: a name and bytes.
public struct IdempotencyCheckpoint: Hashable, Sendable {
    /// The bytes of UTF-8 that a name may have.
    public static let allowedName = 1...255
    /// The bytes that a checkpoint may have.
    public static let allowedSize = 0...262_144

    /// The name of the phase that is over; any characters.
    public let name: String
    /// What the next phase needs.
    public let bytes: [UInt8]

    /// A checkpoint of a name of 1 to 255 bytes and at most 256 KiB.
    ///
    /// - Throws: `StoreError.refused` naming the part that is too long.
    public init(_ name: String, _ bytes: [UInt8] = []) throws(StoreError) {
        guard Self.allowedName.contains(name.utf8.count) else {
            throw .refused(RefusedInput(field: "checkpoint name", size: name.utf8.count, allowed: Self.allowedName))
        }
        guard Self.allowedSize.contains(bytes.count) else {
            throw .refused(RefusedInput(field: "checkpoint", size: bytes.count, allowed: Self.allowedSize))
        }
        self.name = name
        self.bytes = bytes
    }
}

/// Where a listing goes on; what it means is the store's business.
public struct IdempotencyCursor: Hashable, Sendable {
    /// The place, as text.
    public let text: String

    /// A cursor of the store's own making.
    public init(_ text: String) { self.text = text }
}

/// One page of a listing.
public struct IdempotencyPage: Hashable, Sendable {
    /// The entries; there may be none on a page that is not the last.
    public let entries: [IdempotencyEntry]
    /// Pass it to get the next page; `nil` on the last one.
    public let next: IdempotencyCursor?

    /// A page from its parts.
    public init(entries: [IdempotencyEntry], next: IdempotencyCursor?) {
        self.entries = entries
        self.next = next
    }
}
