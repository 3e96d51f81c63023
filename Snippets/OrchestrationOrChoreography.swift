// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Sagas
import WorkQueues

// snippet.hide
struct Claim: Codable, Sendable {
    var id: String
    var cents: Int
}

struct Verdict: Codable, Sendable {
    var claim: String
    var isGranted: Bool
}

struct Denied: NotApplied {}

struct Bank: Sendable {
    func pay(_ cents: Int, key: String) async throws {}
}

let bank = Bank()
let store = try FileRecordStore(directory: "/var/lib/insurance/records")
let requests = WorkQueue("requests", store: store)
let verdicts = WorkQueue("verdicts", store: store)
let claims = WorkQueue("claims", store: store)

func message(_ text: String, _ context: SagaContext<Claim>) -> NewWorkItem {
    NewWorkItem(
        id: context.key, payload: Array("\(text) \(context.sagaID)".utf8), deduplicationWindow: .seconds(7 * 86_400))
}

func decode<Value>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value { throw Denied() }
// snippet.show
let verdict = SagaStep<Claim, Verdict>.event("verdict", Verdict.self, within: .seconds(14 * 86_400))

let claim = SagaDefinition<Claim>("claim", version: 1) {
    SagaStep("ask", ifUnknown: .reexecute) { context in
        try await requests.enqueue(message("examine", context))
    } compensation: { context in
        try await requests.enqueue(message("withdrawn", context))
    }
    verdict
    SagaStep<Claim, Void>.reading("granted") { context in
        guard try context.output(of: verdict).isGranted else { throw Denied() }
    }
    SagaStep.timer("objection", .seconds(7 * 86_400))
    SagaStep.pivot("pay", ifUnknown: .reexecute) { context in
        try await bank.pay(context.input.cents, key: context.key)
    }
}
let sagas = SagaCoordinator("claims", store: store, definitions: claim)
// snippet.hide
// snippet.show
let starting = Consumer(claims, decode: { item in try decode(Claim.self, item.payload) }) { message, _ in
    try await sagas.start(claim, id: message.id, input: message)
}
let answering = Consumer(verdicts, decode: { item in try decode(Verdict.self, item.payload) }) { message, _ in
    do {
        try await sagas.signal(message.claim, verdict, message)
    } catch is SagaVerbRefused {
        // The claim is over, so nobody waits for it.
    }
}
// snippet.hide
// snippet.show
func accept(_ message: Claim, _ receipt: RecordID) async throws {
    let changes: [Change] = [
        .insert(receipt, RecordContent(state: "accepted")),
        try sagas.change(starting: claim, id: message.id, input: message),
    ]
    guard case .committed = try await store.commit(changes) else {
        print("accepted before")
        return
    }
}
