// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The body of a key's record, format 1: the fingerprint, the last checkpoint, and what is known of the outcome.
///
/// When the key was completed is not in the body, because a caller does not know the store's time when it writes. It
/// follows exactly from the record's expiry, which the store sets when it commits, and the retention kept here.
struct KeyBody: Hashable {
    /// The bytes of a body that are neither the outcome's nor a checkpoint's, nor those of a long fingerprint.
    private static let overhead = 64

    /// What is known of the outcome.
    enum Settlement: Hashable {
        /// An execution was started.
        case open
        case unknown(IdempotencyUnknownReason)
        case completed(IdempotencyOutcome, retention: Duration)
    }

    var fingerprint: StoredFingerprint
    var checkpoint: IdempotencyCheckpoint?
    var settlement = Settlement.open

    init(fingerprint: StoredFingerprint, checkpoint: IdempotencyCheckpoint? = nil, settlement: Settlement = .open) {
        self.fingerprint = fingerprint
        self.checkpoint = checkpoint
        self.settlement = settlement
    }

    init(_ bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == 1 else { throw MalformedBytes(offset: 0) }
        fingerprint = try StoredFingerprint(from: &reader)
        checkpoint = try reader.readOptional { reader throws(MalformedBytes) in
            let (name, bytes) = (try reader.readString(), try reader.readBytes())
            guard let checkpoint = try? IdempotencyCheckpoint(name, bytes) else { throw MalformedBytes(offset: 0) }
            return checkpoint
        }
        switch try reader.readUInt8() {
        case 0: settlement = .open
        case 1:
            guard let reason = IdempotencyUnknownReason(rawValue: try reader.readUInt8()) else {
                throw MalformedBytes(offset: 0)
            }
            settlement = .unknown(reason)
        case 2: settlement = .completed(.value(try reader.readBytes()), retention: try Self.retention(&reader))
        case 3: settlement = .completed(.failure(try reader.readBytes()), retention: try Self.retention(&reader))
        case 4:
            let size = Int(clamping: try reader.readUInt64())
            settlement = .completed(.omitted(size: size), retention: try Self.retention(&reader))
        default: throw MalformedBytes(offset: 0)
        }
        try reader.finish()
    }

    private static func retention(_ reader: inout ByteReader) throws(MalformedBytes) -> Duration {
        .nanoseconds(try reader.readInt64())
    }

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.reserveCapacity(Self.overhead + size)
        writer.write(UInt8(1))
        fingerprint.write(to: &writer)
        writer.write(UInt8(checkpoint == nil ? 0 : 1))
        if let checkpoint {
            writer.write(checkpoint.name)
            writer.write(checkpoint.bytes)
        }
        switch settlement {
        case .open: writer.write(UInt8(0))
        case .unknown(let reason):
            writer.write(UInt8(1))
            writer.write(reason.rawValue)
        case .completed(let outcome, let retention):
            switch outcome {
            case .value(let bytes):
                writer.write(UInt8(2))
                writer.write(bytes)
            case .failure(let bytes):
                writer.write(UInt8(3))
                writer.write(bytes)
            case .omitted(let size):
                writer.write(UInt8(4))
                writer.write(UInt64(clamping: size))
            }
            writer.write(retention.nanosecondsRoundedUp)
        }
        return writer.bytes
    }

    /// The bytes of everything whose size varies much.
    private var size: Int {
        let kept = checkpoint.map { $0.name.utf8.count + $0.bytes.count } ?? 0
        return switch settlement {
        case .open, .unknown, .completed(.omitted, _): kept
        case .completed(.value(let bytes), _), .completed(.failure(let bytes), _): kept + bytes.count
        }
    }
}

/// The labels of a key's record, for people and statistics.
enum KeyState {
    /// Claimed; unknown as soon as the lease has passed.
    static let inProgress = "in-progress"
    /// Completed; expires after the retention.
    static let completed = "completed"
    /// Nobody knows what came of the last execution; never expires. Also while another one takes over.
    static let unknown = "unknown"
}

extension IdempotencyEntry {
    /// What a record of a key shows at the store's time.
    ///
    /// A completed key is completed whoever holds its record. A lease that ends now, or none at all, holds nothing.
    init(_ record: Record, of key: IdempotencyKey, now: Timestamp) {
        let state: State
        var body = KeyBody(fingerprint: Fingerprint.none.stored)
        do throws(MalformedBytes) {
            body = try KeyBody(record.body)
            switch body.settlement {
            case .completed(let outcome, let retention):
                let completedAt = record.expiresAt?.advanced(by: .zero - retention) ?? record.createdAt
                state = .completed(outcome, at: completedAt, age: max(.zero, completedAt.duration(to: now)))
            case _ where record.isHeld(at: now):
                state = .inProgress(leaseRemaining: record.leaseRemaining(at: now))
            case .unknown(let reason) where record.holder == nil:
                state = .unknown(reason)
            case .unknown, .open:
                state = .unknown(.leasePassed)
            }
        } catch {
            state = .unreadable("\(error)")
        }
        let execution = IdempotencyExecution(
            key: key, fence: record.fence, attempt: record.claims, fingerprint: body.fingerprint,
            checkpoint: body.checkpoint, leaseUntil: record.leaseUntil ?? record.createdAt)
        var holder = record.holder
        if case .completed = state { holder = nil }
        self.init(
            execution: execution, holder: holder, settledUnder: record.changedUnder,
            incarnation: record.position, state: state)
    }

    /// Whether this is `earlier` after exactly one claim and nothing else: the same insert, the same last change.
    func isNextClaim(of earlier: IdempotencyEntry) -> Bool {
        incarnation == earlier.incarnation && execution.attempt == earlier.execution.attempt + 1
            && settledUnder == earlier.settledUnder
    }
}
