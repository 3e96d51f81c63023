// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// What an HTTP response says of rate limits: the fields `RateLimit`, `RateLimit-Policy` and `Retry-After`, as values.
///
/// On the server, from a decision:
///
/// ```swift
/// let decision = limiter.tryAcquire()
/// for (name, value) in RateLimitFields(decision, of: limiter.limit, name: "api").fields {
///     response.headers.add(name: name, value: value)
/// }
/// ```
///
/// On the client, from whatever the server sends:
///
/// ```swift
/// let fields = RateLimitFields(parsing: response.headers.map { (name: $0.name, value: $0.value) })
/// try await clock.sleep(for: fields.delay(atMost: .seconds(600)))
/// ```
///
/// The form is that of the IETF draft "RateLimit header fields for HTTP", version 10 (2025). The fields are hints: a client
/// must not take what remains for promised. They belong into the header and never into trailers, and are to be ignored
/// on responses that come from a cache. A response with status 429 must not be stored by caches (RFC 6585).
public struct RateLimitFields: Sendable, Hashable {
    /// A quota: an item of `RateLimit-Policy`.
    public struct Policy: Sendable, Hashable {
        /// What it is called; ties it to an item of `RateLimit`.
        public var name: String
        /// How many units are allowed in the window.
        public var quota: Int
        /// What is counted: `requests`, `content-bytes`, `concurrent-requests`, or what else the server says.
        public var unit: String
        /// The length of the window in seconds, above zero; `nil` if it is not told.
        public var windowSeconds: Int?
        /// What the quota is divided by, such as the client; `nil` if it is not told.
        public var partitionKey: [UInt8]?

        /// A quota.
        public init(
            _ name: String, quota: Int, unit: String = "requests", windowSeconds: Int? = nil,
            partitionKey: [UInt8]? = nil
        ) {
            self.name = name
            self.quota = quota
            self.unit = unit
            self.windowSeconds = windowSeconds
            self.partitionKey = partitionKey
        }
    }

    /// What is left of a quota: an item of `RateLimit`.
    public struct Limit: Sendable, Hashable {
        /// The name of the quota.
        public var name: String
        /// How many units are left.
        public var remaining: Int
        /// In how many seconds there will be more; `nil` if it is not told.
        public var resetSeconds: Int?
        /// What the quota is divided by, such as the client; `nil` if it is not told.
        public var partitionKey: [UInt8]?

        /// What is left of a quota.
        public init(_ name: String, remaining: Int, resetSeconds: Int? = nil, partitionKey: [UInt8]? = nil) {
            self.name = name
            self.remaining = remaining
            self.resetSeconds = resetSeconds
            self.partitionKey = partitionKey
        }
    }

    /// The quotas.
    public var policies: [Policy]
    /// What is left of them.
    public var limits: [Limit]
    /// In how many seconds to come back; `nil` if it is not told.
    public var retryAfterSeconds: Int?

    /// Fields with these values.
    public init(policies: [Policy] = [], limits: [Limit] = [], retryAfterSeconds: Int? = nil) {
        self.policies = policies
        self.limits = limits
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// The fields of the response that goes with a decision.
    ///
    /// Times are rounded up to whole seconds, so whoever follows them does not come too early. After a denial the limit
    /// has more when `Retry-After` says; after a grant, when all permits are back. A limit without end is not told, and
    /// a window only if it is whole seconds.
    ///
    /// - Parameters:
    ///   - decision: What was decided.
    ///   - limit: The limit by which it was.
    ///   - name: The name of the quota. Characters that the field cannot have become underscores.
    ///   - partitionKey: What the quota is divided by; not told unless given. It goes to the client, so it should tell
    ///     nothing that the client does not know.
    ///   - jitter: The most that is added to the times, drawn evenly, so that not all clients come back at one instant;
    ///     zero unless given.
    ///   - randomness: Where the jitter is drawn from; the system's generator unless given.
    public init(
        _ decision: RateLimitDecision, of limit: RateLimit, name: String = "default", partitionKey: [UInt8]? = nil,
        jitter: Duration = .zero, randomness: RandomSource? = nil
    ) {
        self.init(
            decision, of: limit, name: name, partitionKey: partitionKey, extra: Self.draw(upTo: jitter, randomness))
    }

    private init(
        _ decision: RateLimitDecision, of limit: RateLimit, name: String, partitionKey: [UInt8]?, extra: Int64
    ) {
        guard !limit.isUnlimited else {
            self.init()
            return
        }
        let name = name.isEmpty ? "default" : name
        let (window, rest) = limit.period.components
        let retryAfter = decision.retryAfter.flatMap { Self.seconds($0, extra) }
        let reset = decision.allowed ? Self.seconds(decision.resetAfter, extra) : retryAfter
        self.init(
            policies: [
                Policy(
                    name, quota: limit.permits, windowSeconds: rest == 0 ? Int(window) : nil,
                    partitionKey: partitionKey)
            ],
            limits: [Limit(name, remaining: decision.remaining, resetSeconds: reset, partitionKey: partitionKey)],
            retryAfterSeconds: retryAfter)
    }

    private static func draw(upTo jitter: Duration, _ randomness: RandomSource?) -> Int64 {
        jitter > .zero ? (randomness ?? .system).draw(upTo: jitter.nanosecondsRoundedUp) : 0
    }

    /// Whole seconds, rounded up; `nil` for no time and for ever.
    private static func seconds(_ duration: Duration, _ extra: Int64) -> Int? {
        let nanoseconds = duration.nanosecondsRoundedUp
        guard nanoseconds > 0, nanoseconds < .max else { return nil }
        return Int(GCRA.quotientRoundedUp(nanoseconds.addingSaturating(extra), by: 1_000_000_000))
    }

    /// The fields of the response that goes with a decision of several limiters, each under its name.
    ///
    /// - Parameters:
    ///   - decision: What was decided.
    ///   - limiter: The limiter that decided.
    ///   - jitter: The most that is added to the times, drawn evenly; zero unless given.
    ///   - randomness: Where the jitter is drawn from; the system's generator unless given.
    public init(
        _ decision: CompositeRateLimitDecision, of limiter: CompositeRateLimiter, jitter: Duration = .zero,
        randomness: RandomSource? = nil
    ) {
        self.init()
        let extra = Self.draw(upTo: jitter, randomness)
        for (part, limiter) in zip(decision.parts, limiter.limiters) {
            let fields = RateLimitFields(
                part.decision, of: limiter.limit, name: part.limiter, partitionKey: nil, extra: extra)
            policies += fields.policies
            limits += fields.limits
        }
        guard let retryAfter = decision.retryAfter.flatMap({ Self.seconds($0, extra) }) else { return }
        retryAfterSeconds = retryAfter
        // The draft does not want a time to come back that is before that of a limit.
        for index in limits.indices where (limits[index].resetSeconds ?? 0) > retryAfter {
            limits[index].resetSeconds = nil
        }
    }

    /// The names and values of the fields, as they go into a response; what is not known is left out.
    public var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if !policies.isEmpty {
            let items = policies.map { policy in
                StructuredItem.string(policy.name) + ";q=" + StructuredItem.integer(policy.quota)
                    + (policy.unit == "requests" ? "" : ";qu=" + StructuredItem.string(policy.unit))
                    + (policy.windowSeconds.map { ";w=" + StructuredItem.integer($0) } ?? "")
                    + (policy.partitionKey.map { ";pk=" + StructuredItem.bytes($0) } ?? "")
            }
            fields.append(("RateLimit-Policy", items.joined(separator: ", ")))
        }
        if !limits.isEmpty {
            let items = limits.map { limit in
                StructuredItem.string(limit.name) + ";r=" + StructuredItem.integer(limit.remaining)
                    + (limit.resetSeconds.map { ";t=" + StructuredItem.integer($0) } ?? "")
                    + (limit.partitionKey.map { ";pk=" + StructuredItem.bytes($0) } ?? "")
            }
            fields.append(("RateLimit", items.joined(separator: ", ")))
        }
        if let retryAfterSeconds { fields.append(("Retry-After", StructuredItem.integer(retryAfterSeconds))) }
        return fields
    }

    /// How long a client should wait before its next request: as `Retry-After` says, or else until the last limit that
    /// has nothing left has more; zero if nothing says to wait.
    ///
    /// - Parameter maximum: The longest wait that is believed; 10 minutes unless given. A server, or somebody between,
    ///   could otherwise put a client to sleep for years.
    public func delay(atMost maximum: Duration = .seconds(600)) -> Duration {
        let exhausted = limits.filter { $0.remaining == 0 }.compactMap(\.resetSeconds).max()
        return min(maximum, .seconds(max(0, retryAfterSeconds ?? exhausted ?? 0)))
    }
}
