// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import RecordStores

/// Proves that a record store keeps the promises of ``/RecordStores/RecordStore``.
///
/// Every check gets a store of its own on a clock that stands still, so a run is exact to the nanosecond and waits for
/// nothing. The checks throw and use no test library; under Swift Testing each becomes a test case:
///
/// ```swift
/// let conformance = RecordStoreConformance(makeStore: { InMemoryRecordStore(clock: $0) })
///
/// @Test(arguments: RecordStoreConformance.checks)
/// func `the store keeps its promises`(check: RecordStoreConformance.Check) async throws {
///     try await conformance.run(check)
/// }
/// ```
///
/// The checks look from outside, through the protocol alone. What only a crash can show (promise 2, and a foreign
/// process's leases in promise 9) is for the store's own tests.
public struct RecordStoreConformance: Sendable {
    /// Makes an empty store whose time is that clock's.
    public typealias MakeStore = @Sendable (ManualClock) async throws -> any RecordStore
    /// Closes a store and opens it again on the same data and clock.
    public typealias Reopen = @Sendable (any RecordStore, ManualClock) async throws -> any RecordStore

    /// One check: a sentence that holds for every store.
    public struct Check: Sendable, Identifiable, CustomStringConvertible {
        /// What is checked, as a sentence.
        public let name: String
        /// The number of the promise of ``/RecordStores/RecordStore`` that it belongs to; `nil` for what an operation's
        /// own documentation says.
        public let promise: Int?
        let body: @Sendable (ConformanceBench) async throws -> Void

        init(
            _ name: String, promise: Int? = nil, body: @escaping @Sendable (ConformanceBench) async throws -> Void
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
        fenceChecks + batchChecks + orderChecks + dueChecks + leaseChecks + expiryChecks + timeChecks + pageChecks
        + limitChecks + byteChecks + cancellationChecks + wakeUpChecks + closingChecks + reopeningChecks + raceChecks
        + linearizabilityChecks + modelChecks

    let seed: UInt64
    let patience: Duration
    let makeStore: MakeStore
    let reopen: Reopen?

    /// A suite for one kind of store.
    ///
    /// - Parameters:
    ///   - seed: Where the random histories start; a failure names the seed of the history that it came from.
    ///   - patience: How much real time a claim may take to wake before it counts as hanging, by default 30 seconds. A
    ///     store that keeps its promises never uses it up.
    ///   - makeStore: Makes an empty store on the given clock. A claim that waits must sleep on that clock, each in a
    ///     sleep of its own. The suite closes the store when the check ends.
    ///   - reopen: Closes the store and opens it again on the same data, by the same process. Without it the checks of
    ///     reopening have nothing to look at and pass.
    public init(
        seed: UInt64 = 1, patience: Duration = .seconds(30), makeStore: @escaping MakeStore, reopen: Reopen? = nil
    ) {
        self.seed = seed
        self.patience = patience
        self.makeStore = makeStore
        self.reopen = reopen
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
            try await ConformanceBench.with(self) { try await check.body($0) }
            return nil
        } catch {
            return .init(check: check.name, promise: check.promise, seen: "\(error)")
        }
    }
}
