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
/// let conformance = RecordStoreConformance(
///     makeStore: { InMemoryRecordStore(clock: $0) },
///     makeLimitedStore: { InMemoryRecordStore(capacity: $0, clock: $1) })
///
/// @Test(arguments: RecordStoreConformance.checks)
/// func `the store keeps its promises`(check: RecordStoreConformance.Check) async throws {
///     try await conformance.run(check)
/// }
/// ```
///
/// The checks look from outside, through the protocol alone, and hold a store to what it declares. Three things they
/// cannot do by themselves. Whoever tests a store lends a hand with each, and without it the checks that need it have
/// nothing to look at and pass:
///
/// | Argument | What only it can show |
/// |---|---|
/// | ``Reopen`` | What a store keeps over its close (promises 1, 7 and 9) |
/// | ``Crash`` | What a store keeps without one (promise 2, and 1, 3, 4, 5, 6, 8 and 9 after a crash) |
/// | ``MakeLimitedStore`` | What a store does that is full |
///
/// Where the protocol leaves something to every store, the checks do so, too: pages that are shorter than their limit,
/// a due time that is told too early where records expire, since when what is held is due. What it leaves to some kinds
/// of stores alone, ``Leeway`` names.
public struct RecordStoreConformance: Sendable {
    /// Makes an empty store whose time is that clock's.
    public typealias MakeStore = @Sendable (ManualClock) async throws -> any RecordStore
    /// Makes an empty store that takes so many records, whose time is that clock's.
    public typealias MakeLimitedStore = @Sendable (_ capacity: Int, ManualClock) async throws -> any RecordStore
    /// Closes a store and opens it again on the same data and clock, by the process that runs the suite.
    public typealias Reopen = @Sendable (any RecordStore, ManualClock) async throws -> any RecordStore
    /// Takes away, at this very moment, all that the declared durability of a store does not keep, and opens what is
    /// left on the same clock as that process.
    ///
    /// For ``/RecordStores/Durability/everyCommit`` that is loss of power; for
    /// ``/RecordStores/Durability/operatingSystem`` and ``/RecordStores/Durability/interval(_:)`` the end of the process.
    /// A store that declares ``/RecordStores/Durability/process`` is never asked. The old store must not be closed before,
    /// and nothing that it still does may reach what is left. Calls that wait in it must come to an end in some way,
    /// by an answer or an error. The new store's time may be earlier than the old one's was.
    public typealias Crash =
        @Sendable (any RecordStore, ManualClock, ProcessIdentity) async throws -> any RecordStore

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
        + limitChecks + byteChecks + moveChecks + movedOrderChecks + capacityChecks + cancellationChecks + wakeUpChecks
        + closingChecks + reopeningChecks + crashChecks + crashedLeaseChecks + crashScenarioChecks + raceChecks
        + linearizabilityChecks + modelChecks

    let seed: UInt64
    let patience: Duration
    let leeway: Leeway
    let makeStore: MakeStore
    let makeLimitedStore: MakeLimitedStore?
    let reopen: Reopen?
    let crash: Crash?
    /// Whether the store also has to do as the local stores do where the promises leave it open.
    private(set) var isExact = false

    /// A suite for one kind of store.
    ///
    /// - Parameters:
    ///   - seed: Where the random histories start; a failure names the seed of the history that it came from.
    ///   - patience: How much real time a claim may take to wake before it counts as hanging, by default 30 seconds. A
    ///     store that keeps its promises never uses it up.
    ///   - leeway: What this kind of store may do otherwise; by default nothing.
    ///   - makeStore: Makes an empty store on the given clock. A claim that waits must sleep on that clock, each in a
    ///     sleep of its own. The suite closes the store when the check ends.
    ///   - makeLimitedStore: Makes an empty store that takes so many records and no more; by default there is none.
    ///   - reopen: Closes the store and opens it again; by default it is never opened again.
    ///   - crash: Lets the store crash and opens it again; by default it never crashes.
    public init(
        seed: UInt64 = 1, patience: Duration = .seconds(30), leeway: Leeway = [], makeStore: @escaping MakeStore,
        makeLimitedStore: MakeLimitedStore? = nil, reopen: Reopen? = nil, crash: Crash? = nil
    ) {
        self.seed = seed
        self.patience = patience
        self.leeway = leeway
        self.makeStore = makeStore
        self.makeLimitedStore = makeLimitedStore
        self.reopen = reopen
        self.crash = crash
    }

    /// The same suite for a store that also does as the local stores do where the promises leave it open.
    package var exactly: RecordStoreConformance {
        var suite = self
        suite.isExact = true
        return suite
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
