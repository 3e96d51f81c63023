// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import ReliabilityCore
internal import Synchronization

/// A source of messages for two consumers, which delivers each message to each of them until it is acknowledged, and at
/// times again.
///
/// To the judge, every message of every consumer is a key like those of an operation: they follow these, and a message is
/// called by the number of its first consumer's key.
final class Mailbox: Sendable {
    static let source = "orders"
    static let consumers = ["stock", "mail"]

    /// The keys of all messages of all consumers.
    let keys: Range<Int>
    private let acknowledged = Locked<Set<Int>>([])

    init(messages: Int, after keys: Int) { self.keys = keys..<keys + messages * Self.consumers.count }

    /// What stands for the message in a delivery.
    func address(of key: Int) -> (message: String, consumer: String) {
        let consumer = (key - keys.lowerBound) % Self.consumers.count
        return ("\(key - consumer)", Self.consumers[consumer])
    }

    func acknowledge(_ key: Int) { acknowledged.withLock { _ = $0.insert(key) } }

    /// Those that are still to be delivered.
    var left: [Int] { acknowledged.withLock { acknowledged in keys.filter { !acknowledged.contains($0) } } }
}

extension IdempotencyKey {
    /// A key of a story by its number.
    init(number: Int, _ mailbox: Mailbox) {
        do {
            if mailbox.keys.contains(number) {
                let (message, consumer) = mailbox.address(of: number)
                try self.init(tenant: consumer, operation: "inbox/\(Mailbox.source)", key: message)
            } else {
                try self.init(tenant: "tenant", operation: "charge", key: "\(number)")
            }
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// The number of a key, whether it is one of the operation's or of a message.
    var number: Int { (Int(key) ?? -1) + (Mailbox.consumers.firstIndex(of: tenant) ?? 0) }
}
