// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What is kept of a handler's outcome.
public enum IdempotencyVerdict: Hashable, Sendable {
    /// The value, or the error: duplicates get the same.
    case store
    /// Nothing, because nothing took effect: the key is free for the next request.
    case release
    /// That it may have taken effect and nobody knows; ``UnknownPolicy`` decides what the next request does.
    case unknown
}

/// What becomes of a duplicate that comes while the first request is still executed.
public enum InFlightPolicy: Hashable, Sendable {
    /// It is turned away with ``IdempotencyInFlight``, which says how long to stay away at most.
    case refuse
    /// It waits up to that long for the outcome and gets it; if the first execution's process is gone, it goes by
    /// ``UnknownPolicy`` as soon as the lease has passed. After that long it is turned away.
    ///
    /// An execution of the same operation value wakes it by its end; one of another process or value is looked for from
    /// time to time, every second at least.
    case wait(upTo: Duration)
}

/// What becomes of a request whose key cannot be claimed because the store fails.
public enum StoreFailurePolicy: Hashable, Sendable {
    /// It fails with the `StoreError`, and nothing runs.
    case refuse
    /// Its handler runs without protection: a duplicate may run too. Always told by ``IdempotencyEvent/Outcome/unprotected``.
    case runUnprotected
}

/// Whether a request needs a key.
public enum KeyPolicy: Hashable, Sendable {
    /// One without is refused with ``IdempotencyKeyRefused/missing``.
    case required
    /// One without runs, without protection. Always told by ``IdempotencyEvent/Outcome/unprotected``.
    case optional
}

/// How an error is kept, so that duplicates throw the same.
public struct ErrorCodec: Sendable {
    let encode: @Sendable (any Error) throws -> [UInt8]?
    let decode: @Sendable ([UInt8]) throws -> any Error

    /// A codec of two functions.
    ///
    /// - Parameters:
    ///   - encode: The bytes of an error; `nil` for one that it has no form for, whose outcome is unknown then.
    ///   - decode: Reads what every released version of `encode` wrote, for as long as outcomes are retained.
    public init(
        encode: @escaping @Sendable (any Error) throws -> [UInt8]?,
        decode: @escaping @Sendable ([UInt8]) throws -> any Error
    ) {
        self.encode = encode
        self.decode = decode
    }

    /// Errors of one type, kept as `codec` keeps a value.
    public init<Failure: Error>(_ codec: OutputCodec<Failure>) {
        self.init(
            encode: { error in try (error as? Failure).map { try codec.encode($0) } },
            decode: { try codec.decode($0) })
    }
}
