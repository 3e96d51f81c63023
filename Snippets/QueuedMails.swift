// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

// snippet.hide
struct User: Sendable {
    var id: String
    var bytes: [UInt8]
}

struct Mailer: Sendable {
    func send(_ mail: [UInt8], idempotencyKey: String) async throws {}
}

let mailer = Mailer()
// snippet.show
import WorkQueues

let store = try FileRecordStore(directory: "/var/lib/shop/records")
let mails = WorkQueue("mails", store: store)

func signedUp(_ user: User) async throws {
    try await mails.enqueue(NewWorkItem(id: "welcome-\(user.id)", payload: user.bytes))
}

let consumer = Consumer(mails, concurrency: 16) { item in
    try await mailer.send(item.payload, idempotencyKey: item.id)
}
try await consumer.run()
// snippet.hide
import CircuitBreaking
import RateLimiting
import Retrying

struct Mail: Sendable {
    var address: String?
    var untilMorning: Duration?

    init(_ bytes: [UInt8]) throws { (address, untilMorning) = (nil, nil) }
}

extension Mailer {
    func send(_ mail: Mail, idempotencyKey: String) async throws {}
}
// snippet.show
let patient = WorkQueue(
    "mails", store: store, maximumFailures: 4, backoff: .listed([.seconds(1), .seconds(5), .seconds(30)]))
// snippet.hide
// snippet.show
let breaker = CircuitBreaker(name: "mail provider")
let guarded = Consumer(mails, pausedFor: { breaker.peek()?.retryAfter }) { item in
    try await breaker.run { try await mailer.send(item.payload, idempotencyKey: item.id) }
}
// snippet.hide
// snippet.show
let provider = TokenBucket(.perSecond(20), name: "mail provider", maximumWait: .seconds(2))
let limited = Consumer(mails) { item in
    try await provider.run { try await mailer.send(item.payload, idempotencyKey: item.id) }
}
// snippet.hide
// snippet.show
let deciding = Consumer(
    mails, decode: { item in try Mail(item.payload) },
    deciding: { mail, context in
        guard mail.address != nil else { return .deadLetter(.rejectedByHandler) }
        if let untilMorning = mail.untilMorning { return .release(after: untilMorning) }
        try await mailer.send(mail, idempotencyKey: context.item.id)
        return .complete
    })
// snippet.hide
let bytes: [UInt8] = []
// snippet.show
try await mails.enqueue(
    NewWorkItem(
        id: "reminder-4711", payload: bytes, orderKey: "customer-17", delay: .seconds(86_400),
        timeToLive: .seconds(3 * 86_400), deduplicationWindow: .seconds(7 * 86_400)))
// snippet.hide
// snippet.show
for delivery in try await mails.receive(limit: 10, waitUpTo: .seconds(60)) {
    do {
        try await mailer.send(delivery.item.payload, idempotencyKey: delivery.item.id)
        try await delivery.complete()
    } catch {
        try await delivery.retry(after: error)
    }
}
