// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An item that is to be put into a queue.
public struct NewWorkItem: Hashable, Sendable {
    /// The bytes of UTF-8 that an item's name may have. Every one that is taken is a message identifier that an inbox
    /// takes.
    public static let allowedID = 1...255

    /// The item's name: while an item of that name is in the queue or among its dead letters, putting it again adds
    /// nothing. 1 to 255 bytes without control characters; drawn at random unless given. It stays the same wherever the
    /// item goes, so consumers recognise a message by it.
    public var id: String
    /// What the item carries.
    public var payload: [UInt8]
    /// Opaque pairs that travel with the item, such as a trace context; at most 16 KiB in all.
    public var headers: [String: String]
    /// Items of the same order key are handed out one at a time, in the order in which they were put; at most 255 bytes.
    public var orderKey: String?
    /// How long after the commit the item may be handed out at the earliest; never earlier. By default at once.
    public var delay: Duration
    /// After which time in the queue the item goes to the dead letters instead of to a handler; by default never.
    public var timeToLive: Duration?
    /// For how long after the commit another item of this name is a duplicate, also once this one is done; by default
    /// only as long as this one stands.
    public var deduplicationWindow: Duration?

    /// An item from its parts.
    public init(
        id: String = NewWorkItem.randomID(), payload: [UInt8], headers: [String: String] = [:],
        orderKey: String? = nil, delay: Duration = .zero, timeToLive: Duration? = nil,
        deduplicationWindow: Duration? = nil
    ) {
        self.id = id
        self.payload = payload
        self.headers = headers
        self.orderKey = orderKey
        self.delay = delay
        self.timeToLive = timeToLive
        self.deduplicationWindow = deduplicationWindow
    }

    /// A name of 32 hexadecimal digits that nothing else has.
    public static func randomID() -> String {
        [random.next(), random.next()].map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    private static let random = RandomSource.system

    static func check(_ id: String) throws(StoreError) {
        try RecordLimits.check("id", id.utf8.count, allowedID)
        // In UTF-8 the controls below U+0020 and U+007F are bytes of their own, and those from U+0080 follow a C2.
        guard id.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == 0xC2 }) else { return }
        for scalar in id.unicodeScalars.map({ Int($0.value) }) {
            try RecordLimits.check("character of id", scalar, 0x20...0x10_FFFF)
            if scalar >= 0x7F { try RecordLimits.check("character of id", scalar, 0xA0...0x10_FFFF) }
        }
    }
}

/// What became of an item that was to be put into a queue.
public enum Enqueued: Hashable, Sendable {
    /// It is in.
    case enqueued
    /// An item of that name stands in the queue, stands among its dead letters, or was put not longer ago than its
    /// window; nothing was changed.
    case duplicate
}

/// A queue holds as many items as it may; nothing was changed.
public struct WorkQueueFull: Rejection, Hashable, CustomStringConvertible {
    /// The queue's name.
    public let queue: String
    /// How many items it holds.
    public let depth: Int
    /// How many it may hold.
    public let limit: Int
    /// Unknown: it depends on the consumers.
    public var retryAfter: Duration? { nil }

    /// The queue, its depth and its limit.
    public var description: String { "the queue \(queue) is full: \(depth) items of at most \(limit)" }
}
