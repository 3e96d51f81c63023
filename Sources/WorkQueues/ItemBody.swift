// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The bytes of an item's record: version 1 of the layout.
struct ItemBody: Hashable, Sendable {
    static let version: UInt8 = 1

    /// How often the item was handed to a handler, this time included while one has it.
    var deliveries = 0
    /// Failures since it was put or redriven: what its limit counts.
    var failures = 0
    /// Handlers since then that ended without a word, with their process or their lease.
    var crashes = 0
    /// How often it came back from the dead letters.
    var redrives = 0
    var timeToLive: Duration?
    /// Every failure there was, kept or counted, also those from before a redrive.
    var history = FailureHistory()
    var payload: [UInt8]

    init(payload: [UInt8], timeToLive: Duration? = nil) {
        self.payload = payload
        self.timeToLive = timeToLive
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.reserveCapacity(payload.count + 32)
        writer.write(Self.version)
        // More than that nobody counts, and nobody reads.
        for number in [deliveries, failures, crashes, redrives] {
            writer.write(variable: UInt64(min(number, Int(UInt32.max))))
        }
        writer.write(timeToLive) { $0.write($1.nanosecondsRoundedUp) }
        writer.write(history)
        writer.write(payload)
        return writer.bytes
    }

    /// Why bytes are no body that this code can read.
    enum Unreadable: Error, Hashable {
        /// A newer version of the package wrote them.
        case newer(version: UInt8)
        case damaged(MalformedBytes)
    }

    init(decoding bytes: [UInt8]) throws(Unreadable) {
        if let version = bytes.first, version > Self.version { throw .newer(version: version) }
        do throws(MalformedBytes) {
            var reader = ByteReader(bytes)
            guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
            deliveries = try reader.readNumber()
            failures = try reader.readNumber()
            crashes = try reader.readNumber()
            redrives = try reader.readNumber()
            timeToLive = try reader.readOptional { reader throws(MalformedBytes) in
                .nanoseconds(try reader.readInt64())
            }
            history = try reader.readFailures()
            payload = try reader.readBytes()
            try reader.finish()
        } catch {
            throw .damaged(error)
        }
    }
}
