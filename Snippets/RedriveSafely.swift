// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import WorkQueues

// snippet.hide
struct Topic: Sendable {
    func publish(_ message: [UInt8], id: String) async throws {}
}

let topic = Topic()
let store = try FileRecordStore(directory: "/var/lib/shop/records")
// snippet.show
let mails = WorkQueue("mails", store: store)
let redrive = Redrive(mails.deadLetters, to: .queue(mails))
let timeouts = DeadLetterFilter(
    reason: "attemptsExhausted", errorType: String(reflecting: TimedOut.self), maximumRedrives: 2)

print(try await redrive.dryRun(timeouts))
// snippet.hide
// snippet.show
// One letter, to see whether the cause is really mended.
try await redrive.start(RedrivePlan(filter: timeouts, limit: 1))
_ = try await redrive.run()

// The others, 50 a second.
try await redrive.start(RedrivePlan(filter: timeouts, rate: .perSecond(50)))
if let progress = try await redrive.run() {
    print(progress.state, progress.redriven, progress.failed, progress.skipped)
}
// snippet.hide
// snippet.show
func goOn() async throws {
    do {
        _ = try await redrive.run()
    } catch let error as RedriveHeld {
        print("another process runs it; its lease ends in \(error.retryAfter ?? .zero)")
    }
}
// snippet.hide
// snippet.show
let toTopic = Redrive(
    mails.deadLetters,
    to: .handler("mail topic") { letter in
        try await topic.publish(letter.payload, id: letter.id)
    })
// snippet.hide
// snippet.show
try await mails.evict("welcome-17", because: "the account is closed")
for evicted in try await mails.deadLetters.evicted().letters {
    print(evicted.letter.id, evicted.because, evicted.evictedAt)
}
try await mails.deadLetters.purgeEvicted(olderThan: .seconds(90 * 86_400))
