// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What a handler knows of the execution that it is part of, and what it can do with it.
public struct IdempotencyContext: Sendable {
    /// The key under which the operation runs; one of its own that nobody else uses if the request had none.
    public let key: IdempotencyKey
    /// The number of this execution, which grows with every execution of the key.
    ///
    /// Hand it to a resource that can refuse writes under an older number; it then refuses a predecessor that was
    /// paused and believes itself alive. The lowest of all if the execution is not protected.
    public let fence: Fence
    /// How often the key has been claimed since it was free, this time included; 1 on a first execution.
    public let attempt: Int
    /// The last checkpoint of the executions before this one; `nil` if there is none.
    public let checkpoint: IdempotencyCheckpoint?
    /// The execution's hold on its key; `nil` if it runs without protection.
    let hold: IdempotencyHold?

    init(_ hold: IdempotencyHold) {
        let execution = hold.started
        key = execution.key
        fence = execution.fence
        attempt = execution.attempt
        checkpoint = execution.checkpoint
        self.hold = hold
    }

    init(unprotected key: IdempotencyKey) {
        self.key = key
        fence = Fence(rawValue: 0)
        attempt = 1
        checkpoint = nil
        hold = nil
    }

    /// Whether the execution holds its key; `false` if the request had none or the store failed, and the operation runs
    /// such requests all the same.
    public var isProtected: Bool { hold != nil }

    /// The idempotency key for a call to another service: ``IdempotencyKey/downstreamKey(_:)``.
    public func downstreamKey(_ step: String) -> String { key.downstreamKey(step) }

    /// Keeps how far the handler has got. If this execution ends without a known outcome, the next one finds it as its
    /// ``checkpoint`` and can go on behind it.
    ///
    /// It is durable when the call returns, and the lease has begun anew. One at a time.
    ///
    /// - Throws: `StoreError.refused` if it is too large; `StoreError` if it is not kept, or may not be;
    ///   ``IdempotencyHoldLost`` if another execution has the key: stop then, whatever comes next is its business;
    ///   ``IdempotencyUnprotected`` if the execution is not protected.
    public func checkpoint(_ name: String, _ bytes: [UInt8] = []) async throws {
        guard let hold else { throw IdempotencyUnprotected(key: key) }
        try await hold.keep(try IdempotencyCheckpoint(name, bytes))
    }

    /// Has changes of records committed together with the value that the handler returns: both are in or neither is.
    ///
    /// At most 999, each record in one of them at most, and not the key's own. If one of them does not find what it
    /// expects or the store refuses them, nothing is in and the call throws ``IdempotencyUnsettled`` with the
    /// conflict; the outcome counts as unknown. They are dropped if the handler throws or its
    /// value is classified as one that is not stored; a value that is too large to be kept commits them.
    ///
    /// - Throws: ``IdempotencyUnprotected`` if the execution is not protected, or its store keeps no records.
    public func alsoCommit(_ changes: [Change]) throws(IdempotencyUnprotected) {
        guard let hold, hold.store.takesChanges else { throw IdempotencyUnprotected(key: key) }
        hold.add(changes)
    }
}

/// An execution whose outcome is not known: what a probe is asked about, and what an operator finds.
public struct UnknownExecution: Hashable, Sendable {
    /// The key.
    public let key: IdempotencyKey
    /// Names the execution when it is resolved: ``IdempotentOperation/resolve(_:as:of:)``.
    ///
    /// It is at least as large as the number that its handler knew, and smaller than that of every later execution.
    public let fence: Fence
    /// How often the key had been claimed then since it was free.
    public let attempt: Int
    /// Why its outcome is not known.
    public let reason: IdempotencyUnknownReason
    /// Its last checkpoint, or that of an execution before it.
    public let checkpoint: IdempotencyCheckpoint?

    init(_ execution: IdempotencyExecution, _ reason: IdempotencyUnknownReason) {
        key = execution.key
        fence = execution.fence
        attempt = execution.attempt
        checkpoint = execution.checkpoint
        self.reason = reason
    }

    /// The idempotency key that its handler had for a call to another service: ``IdempotencyKey/downstreamKey(_:)``.
    public func downstreamKey(_ step: String) -> String { key.downstreamKey(step) }
}

extension IdempotencyKey {
    /// The idempotency key for a call to another service: the same on every attempt, after a crash and in every
    /// process.
    ///
    /// Give each call that one execution makes a `step` of its own, and each provider that takes an idempotency key
    /// gets the same one whenever this operation is executed again. The key has 36 characters and the form of a UUID:
    /// version 8 of RFC 9562, with 122 bits of the SHA-256 of tenant, operation, key and step, each with its length.
    public func downstreamKey(_ step: String) -> String {
        var writer = ByteWriter()
        for part in ["idempotency downstream key 1", tenant, operation, key, step] { writer.write(part) }
        return SHA256(of: writer.bytes).customUUID
    }
}

extension SHA256 {
    /// The first 122 bits as a UUID of version 8.
    fileprivate var customUUID: String {
        // The version takes bits 48 to 51 and the variant bits 64 and 65; the digest's other bits keep their places.
        let high = words.0 & ~0xF000 | 0x8000
        let low = words.1 & (.max >> 2) | 1 << 63
        let digits = (high.sixteenDigits + low.sixteenDigits).utf8
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.unicodeScalars.append(Unicode.Scalar(digit))
        }
        return text
    }
}

extension UInt64 {
    fileprivate var sixteenDigits: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
