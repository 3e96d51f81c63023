// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension IdempotentOperation where Output == HTTPResponseRecord {
    /// Answers a protected request: with its handler's response, the stored one, or a problem.
    ///
    /// ```swift
    /// let charge = IdempotentOperation("charge", store: store, codec: .httpResponse, ifUnknown: .park)
    ///
    /// let response = try await charge.respond(
    ///     keyLines: request.headers["Idempotency-Key"], tenant: account, fingerprint: fingerprint
    /// ) { context in
    ///     try await handle(request)
    /// }
    /// ```
    ///
    /// The handler's response is given as it is. What becomes of the key then is the policy's
    /// ``HTTPIdempotencyPolicy/disposition``; a response that is not stored goes through this operation's `classify` as
    /// ``HTTPResponseReleased`` or ``HTTPResponseLeftUnknown``, and changes that were to be committed with it are
    /// dropped. If a response took effect but could not be stored, also one that a probe has found, it is given all the
    /// same, and the operation's events tell; but if changes were to be committed with it, which are not in either, the
    /// answer is the problem of an unknown outcome.
    ///
    /// A request that has no key, and needs none, runs its handler without protection; the policy decides that, not the
    /// operation's `keys`.
    ///
    /// - Parameters:
    ///   - lines: The values of all lines of the request's `Idempotency-Key` field.
    ///   - tenant: Who asks: the authenticated account, never something that the request is free to choose.
    ///   - fingerprint: What is asked for; ``Fingerprint/init(method:path:query:fields:body:keys:)`` makes one.
    ///   - policy: What is protected, stored and answered.
    ///   - handler: Answers the request.
    /// - Throws: what the handler throws, unchanged; `CancellationError`; an error of this module that the policy has no
    ///   problem for.
    public func respond(
        keyLines lines: [String], tenant: String, fingerprint: Fingerprint,
        policy: HTTPIdempotencyPolicy = HTTPIdempotencyPolicy(),
        _ handler: @escaping (IdempotencyContext) async throws -> HTTPResponseRecord
    ) async throws -> HTTPResponseRecord {
        var (response, failed) = (HTTPResponseRecord?.none, false)
        var hold: IdempotencyHold?
        do {
            guard let text = try policy.key(in: lines) else {
                failed = true
                return try await runWithoutKey(tenant: tenant, handler).value
            }
            let key = try IdempotencyKey(tenant: tenant, operation: name, key: text)
            let result = try await run(key, fingerprint: fingerprint) { context in
                hold = context.hold
                do {
                    let answer = try await handler(context)
                    response = answer
                    return try policy.outcome(of: answer)
                } catch {
                    failed = response == nil
                    throw error
                }
            }
            return response ?? policy.replay(of: result.value)
        } catch  where !failed {
            if let response {
                // The handler has answered: whatever became of the key, its response is the truth about this request,
                // unless what it tells of is in changes that were to be in with the outcome.
                let tellsOfChanges =
                    policy.storesResponse(status: response.status) && hold.map { !$0.changes.isEmpty } ?? false
                return tellsOfChanges ? policy.problemOfUnknown.response : response
            }
            if let found = error.unstoredResponse { return policy.replay(of: found) }
            guard let problem = policy.problem(for: error) else { throw error }
            return problem.response
        }
    }
}

extension Error {
    /// What a probe has found, where no handler ran and it is not certain that the response is stored.
    fileprivate var unstoredResponse: HTTPResponseRecord? {
        switch self {
        case let error as IdempotencyUnsettled<HTTPResponseRecord>: error.value
        case let error as IdempotencyLeaseLost<HTTPResponseRecord>: try? error.result.get()
        default: nil
        }
    }
}

extension HTTPIdempotencyPolicy {
    /// What is stored of a handler's response.
    ///
    /// For code that calls ``IdempotentOperation/run(_:fingerprint:_:)`` itself: the handler returns or throws this.
    ///
    /// - Throws: ``HTTPResponseReleased`` or ``HTTPResponseLeftUnknown``, if the response is not stored.
    public func outcome(of response: HTTPResponseRecord) throws -> HTTPResponseRecord {
        switch disposition(response.status) {
        case .store: return response.removingFields(unstoredFields)
        case .release: throw HTTPResponseReleased(response: response)
        case .leaveUnknown: throw HTTPResponseLeftUnknown(response: response)
        }
    }
}

/// The handler answered that nothing took effect: the key is free, and the response is given once.
public struct HTTPResponseReleased: NotApplied, Hashable {
    /// The handler's response.
    public let response: HTTPResponseRecord
}

/// The handler answered with a failure behind which the effect may have taken place; the response is given once.
public struct HTTPResponseLeftUnknown: Error, Hashable {
    /// The handler's response.
    public let response: HTTPResponseRecord
}
