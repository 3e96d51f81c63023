// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

// snippet.hide
struct Message: Sendable {}

struct Provider: Sendable {
    func send(_ message: Message) async throws {}
}

struct Request: Sendable {
    var tenant: String
}

struct Response: Sendable {
    var status: Int
    var headers: [String: String] = [:]

    static func tooManyRequests(retryAfter: Duration?) -> Response { Response(status: 429) }
}

struct Service: Sendable {
    func handle(_ request: Request) async throws -> Response { Response(status: 200) }
}

struct Plans: Sendable {
    func limit(of tenant: String) -> RateLimit { tenant.hasPrefix("trial-") ? .perMinute(60) : .perSecond(50) }
}

struct Prompt: Sendable {
    var tokens: Int
    var longestAnswer: Int
}

struct Answer: Sendable {
    var tokens: Int
}

struct Model: Sendable {
    func complete(_ prompt: Prompt) async throws -> Answer { Answer(tokens: prompt.longestAnswer / 2) }
}

struct Client: Sendable {
    func get(_ address: String) async throws -> Response { Response(status: 429, headers: ["Retry-After": "2"]) }
}

let (provider, service, plans, model, client) = (Provider(), Service(), Plans(), Model(), Client())
// snippet.show
import RateLimiting

let limiter = TokenBucket(.perSecond(20), name: "mail provider", maximumWait: .seconds(2))

/// In a worker: waits in line for up to two seconds, then runs; refused at once if that is not enough.
func deliver(_ message: Message) async throws {
    try await limiter.run { try await provider.send(message) }
}

/// At the edge: answers now.
func handle(_ request: Request) async throws -> Response {
    let decision = limiter.tryAcquire()
    guard decision.allowed else { return .tooManyRequests(retryAfter: decision.retryAfter) }
    return try await service.handle(request)
}
// snippet.hide

// snippet.show
let endpoint = TokenBucket(.perSecond(500), name: "endpoint")
let tenants = KeyedRateLimiter<String>(name: "tenant", maximumKeys: 200_000) { plans.limit(of: $0) }

func answer(_ request: Request) async throws -> Response {
    let limiter = CompositeRateLimiter([endpoint, tenants.limiter(for: request.tenant)])
    let decision = limiter.tryAcquire()
    var response = decision.allowed ? try await service.handle(request) : Response(status: 429)
    for (name, value) in RateLimitFields(decision, of: limiter).fields { response.headers[name] = value }
    return response
}
// snippet.hide

// snippet.show
let tokens = TokenBucket(.perMinute(100_000), name: "tokens")

func complete(_ prompt: Prompt) async throws -> Answer {
    let estimate = prompt.tokens + prompt.longestAnswer
    let reservation = try tokens.reserve(estimate, within: .seconds(5))
    try await reservation.wait()
    let answer = try await model.complete(prompt)
    reservation.refund(max(0, prompt.longestAnswer - answer.tokens))
    return answer
}
// snippet.hide

// snippet.show
struct Throttled: RetryAdvising {
    var retryAfter: Duration?
}

func fetch(_ address: String) async throws -> Response {
    let response = try await client.get(address)
    guard response.status == 429 else { return response }
    let fields = RateLimitFields(parsing: response.headers.map { (name: $0.key, value: $0.value) })
    throw Throttled(retryAfter: fields.delay(atMost: .seconds(60)))
}
