// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Policies in a fixed order, the first outermost.
///
/// ```swift
/// let guarded = Pipeline {
///     Retry(maxAttempts: 3, backoff: .exponential())
///     CircuitBreaker(name: "provider")
/// }
/// let receipt = try await guarded.run { try await provider.charge(order) }
/// ```
///
/// A pipeline is a value of nested generic types, so nothing is looked up or allocated for the nesting when it runs. It
/// is a convenience over nested `run` calls and adds no behaviour of its own. ``layers`` tells what it consists of.
public struct Pipeline<Layers: Policy>: Policy {
    private let stack: Layers

    /// Composes the listed policies, the first outermost.
    public init(@PipelineBuilder _ policies: () -> Layers) {
        stack = policies()
    }

    /// Runs the operation under every policy, the first listed outermost.
    ///
    /// - Throws: what the operation throws, or the ``Rejection`` of the policy that did not let it run.
    public func run<Success>(_ operation: @escaping () async throws -> Success) async throws -> Success {
        try await stack.run(operation)
    }

    /// The policies' summaries, outermost first.
    public var layers: [String] {
        (stack as? any LayeredPolicy)?.layers ?? [stack.summary]
    }

    /// The policies' summaries in one line, outermost first.
    public var summary: String { layers.joined(separator: " > ") }
}

/// A policy made of others.
private protocol LayeredPolicy {
    var layers: [String] { get }
}

extension Pipeline: LayeredPolicy {}

/// Two policies, one around the other: what ``PipelineBuilder`` builds a ``Pipeline`` from.
public struct NestedPolicy<Outer: Policy, Inner: Policy>: Policy, LayeredPolicy {
    let outer: Outer
    let inner: Inner

    /// Runs the operation under the inner policy, and that under the outer one.
    public func run<Success>(_ operation: @escaping () async throws -> Success) async throws -> Success {
        try await outer.run { try await inner.run(operation) }
    }

    var layers: [String] {
        [outer, inner].flatMap { (policy: any Policy) in
            (policy as? any LayeredPolicy)?.layers ?? [policy.summary]
        }
    }

    /// Both policies' summaries, the outer first.
    public var summary: String { layers.joined(separator: " > ") }
}

/// Builds a ``Pipeline`` from the policies listed in its closure.
@resultBuilder
public enum PipelineBuilder {
    /// Starts with the outermost policy.
    public static func buildPartialBlock<First: Policy>(first: First) -> First { first }

    /// Puts the next policy inside those listed before it.
    public static func buildPartialBlock<Outer: Policy, Inner: Policy>(
        accumulated: Outer, next: Inner
    ) -> NestedPolicy<Outer, Inner> {
        NestedPolicy(outer: accumulated, inner: next)
    }
}
