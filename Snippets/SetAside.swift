// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

// snippet.hide
struct Message: Sendable {
    var id: String
    var topic: String
    var bytes: [UInt8]
    var headers: [String: String]
}

struct Broker: Sendable {
    var messages: [Message] { [] }
    func acknowledge(_ message: Message) async throws {}
}

struct Failures: Error {}

let broker = Broker()
func handle(_ bytes: [UInt8], key: String) async throws {}
// snippet.show
import DeadLetters

let store = try FileRecordStore(directory: "/var/lib/shop/records")
let dead = RecordDeadLetterQueue("orders", store: store)

for message in broker.messages {
    do {
        try await handle(message.bytes, key: message.id)
    } catch {
        try await dead.put(
            NewDeadLetter(
                id: message.id, reason: .rejectedByHandler,
                origin: DeadLetterOrigin(source: message.topic, id: message.id), payload: message.bytes,
                headers: message.headers))
    }
    try await broker.acknowledge(message)
}
// snippet.hide
// snippet.show
for letter in try await dead.list(DeadLetterFilter(source: "orders"), limit: 100).letters {
    let outcome = try await dead.redrive(letter.id) { try await handle($0.payload, key: $0.id) }
    print(letter.id, outcome)
}
