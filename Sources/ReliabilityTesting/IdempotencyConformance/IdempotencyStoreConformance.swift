// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import Idempotency

/// Proves that a store of idempotency keys keeps the promises of ``/Idempotency/IdempotencyStore``.
///
/// It is for those who put the keys into a table of their own. Every check gets a store of its own on a clock that
/// stands still, so a run is exact to the nanosecond and waits for nothing. The checks throw and use no test library;
/// under Swift Testing each becomes a test case:
///
/// ```swift
/// let conformance = IdempotencyStoreConformance { try await TableStore(emptied: database, clock: $0) }
///
/// @Test(arguments: IdempotencyStoreConformance.checks)
/// func `the table keeps its promises`(check: IdempotencyStoreConformance.Check) async throws {
///     try await conformance.run(check)
/// }
/// ```
///
/// The checks look from outside, through the protocol alone. What they cannot do by themselves, whoever tests a store
/// lends a hand with; without it the checks that need it have nothing to look at and pass:
///
/// | Argument | What only it can show |
/// |---|---|
/// | ``Reopen`` | What a store keeps over its close (promises 2, 3 and 4) |
/// | ``Crash`` | What a store keeps without one (promise 5) |
///
/// Changes alongside an outcome are checked where the store takes them; their records are looked at through conflicts.
/// What no check can bring about from outside is a call whose outcome is unknown (promise 6); what tells it afterwards
/// is checked.
public struct IdempotencyStoreConformance: Sendable {
    /// Makes an empty store whose time is that clock's.
    ///
    /// A store whose time is a server's needs a way to be told the time instead, to the nanosecond.
    public typealias MakeStore = @Sendable (ManualClock) async throws -> any IdempotencyStore
    /// Closes a store and opens it again on the same data and clock.
    public typealias Reopen = @Sendable (any IdempotencyStore, ManualClock) async throws -> any IdempotencyStore
    /// Takes away, at this very moment, all that the declared durability of a store does not keep, and opens what is
    /// left on the same clock.
    ///
    /// A store that declares ``/RecordStores/Durability/process`` is never asked. The old store must not be closed before,
    /// and nothing that it still does may reach what is left.
    public typealias Crash = @Sendable (any IdempotencyStore, ManualClock) async throws -> any IdempotencyStore
    /// Closes a store when its check is over.
    public typealias Close = @Sendable (any IdempotencyStore) async throws -> Void

    /// One check: a sentence that holds for every store.
    public struct Check: Sendable, Identifiable, CustomStringConvertible {
        /// What is checked, as a sentence.
        public let name: String
        /// The number of the promise of ``/Idempotency/IdempotencyStore`` that it belongs to; `nil` for what an
        /// operation's own documentation says.
        public let promise: Int?
        let body: @Sendable (IdempotencyBench) async throws -> Void

        init(
            _ name: String, promise: Int? = nil, body: @escaping @Sendable (IdempotencyBench) async throws -> Void
        ) {
            self.name = name
            self.promise = promise
            self.body = body
        }

        /// The name.
        public var id: String { name }
        /// The name.
        public var description: String { name }
    }

    /// Every check, by topic.
    public static let checks: [Check] =
        claimChecks + takeOverChecks + fenceChecks + leaseChecks + checkpointChecks + outcomeChecks + retentionChecks
        + answerChecks + listingChecks + keyChecks + cancellationChecks + raceChecks + alongsideChecks
        + reopeningChecks

    let makeStore: MakeStore
    let reopen: Reopen?
    let crash: Crash?
    let close: Close?

    /// A suite for one kind of store.
    ///
    /// - Parameters:
    ///   - makeStore: Makes an empty store on the given clock.
    ///   - reopen: Closes the store and opens it again; by default it is never opened again.
    ///   - crash: Lets the store crash and opens it again; by default it never crashes.
    ///   - close: Closes the store that a check has used last; by default nothing is done.
    public init(
        makeStore: @escaping MakeStore, reopen: Reopen? = nil, crash: Crash? = nil,
        close: Close? = nil
    ) {
        self.makeStore = makeStore
        self.reopen = reopen
        self.crash = crash
        self.close = close
    }

    /// Runs every check, one after the other.
    ///
    /// - Throws: ``ConformanceFailure`` with all that failed, or `CancellationError` if the task was cancelled.
    public func run() async throws {
        var findings: [ConformanceFailure.Finding] = []
        for check in Self.checks {
            try Task.checkCancellation()
            if let finding = await finding(of: check) { findings.append(finding) }
        }
        guard findings.isEmpty else { throw ConformanceFailure(findings: findings) }
    }

    /// Runs one check on a new store.
    ///
    /// - Throws: ``ConformanceFailure`` with the one finding.
    public func run(_ check: Check) async throws {
        if let finding = await finding(of: check) { throw ConformanceFailure(findings: [finding]) }
    }

    private func finding(of check: Check) async -> ConformanceFailure.Finding? {
        do {
            try await IdempotencyBench.with(self) { try await check.body($0) }
            return nil
        } catch {
            return .init(check: check.name, promise: check.promise, seen: "\(error)")
        }
    }
}
