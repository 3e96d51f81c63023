// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Something that decides whether, when or how often an operation runs, without looking at its value.
///
/// A policy is transparent: the operation's own value and its own error come out unchanged, so `catch let error as
/// Declined` works through any stack of policies. The operation runs in the caller's task and isolation.
///
/// Policies compose in a ``Pipeline``, or by nesting their `run`:
///
/// ```swift
/// let value = try await retry.run { try await breaker.run { try await call() } }
/// ```
public protocol Policy: Sendable {
    /// Runs the operation under this policy.
    ///
    /// - Throws: what the operation throws, or a ``Rejection`` if the policy did not let it run.
    func run<Success>(_ operation: @escaping () async throws -> Success) async throws -> Success

    /// One line for people: the policy's name and its settings.
    var summary: String { get }
}
