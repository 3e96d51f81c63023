// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting
import Testing

@Suite struct IdempotencyStoreConformanceTests {
    private typealias Suite = IdempotencyStoreConformance

    @Test func `the sentences of the checks are all different, and their promises exist`() {
        #expect(Set(Suite.checks.map(\.name)).count == Suite.checks.count)
        #expect(Set(Suite.checks.compactMap(\.promise)) == Set(1...8))
    }

    @Test(arguments: KeyStoreKind.all, IdempotencyStoreConformance.checks) func `every kind of store keeps the promise`(
        kind: KeyStoreKind, check: IdempotencyStoreConformance.Check
    ) async throws {
        try await kind.conformance.run(check)
    }

    @Test(arguments: TableBug.allCases) func `a bug in a table is found by the check that is about it`(
        bug: TableBug
    ) async throws {
        try await requireFound(by: bug.check, KeyStoreKind.table(bug))
    }

    @Test(arguments: AlteredChanges.Bug.allCases)
    func `a bug in changes alongside an outcome is found by the check that is about it`(
        bug: AlteredChanges.Bug
    ) async throws {
        let conformance = IdempotencyStoreConformance { AlteredChanges($0, bug) }
        try await requireFound(by: bug.check, conformance)
    }

    private func requireFound(by name: String, _ conformance: IdempotencyStoreConformance) async throws {
        let check = try #require(Suite.checks.first { $0.name == name }, "\(name)")
        let failure = await #expect(throws: ConformanceFailure.self, "\(name)") { try await conformance.run(check) }
        #expect(failure?.findings.map(\.check) == [name])
        #expect(failure?.findings.map(\.promise) == [check.promise])
    }

    @Test func `a run tells everything that failed, and nothing else`() async throws {
        let failure = await #expect(throws: ConformanceFailure.self) {
            try await KeyStoreKind.table(.sizesAreSmall).run()
        }
        #expect(failure?.findings.map(\.check) == [TableBug.sizesAreSmall.check])
    }

    @Test func `the store that a check has used last is closed, also after a finding`() async throws {
        for bug in [TableBug.claimsKeepNoHolder, nil] {
            await confirmation(expectedCount: 1) { closed in
                let conformance = IdempotencyStoreConformance(
                    makeStore: { TableIdempotencyStore($0, bug) }, close: { _ in closed() })
                _ = try? await conformance.run(Suite.checks[0])
            }
        }
    }

    @Test func `an operation goes on a table as on records`() async throws {
        struct Failure: Error {}
        let clock = ManualClock()
        let operation = IdempotentOperation<String>(
            "charge", store: TableIdempotencyStore(clock), codec: .string, ifUnknown: .reexecute, clock: clock)
        for key in ["first", "second"] {
            await #expect(throws: Failure.self) {
                try await operation.run(key, tenant: "tenant", fingerprint: .none) { context in
                    try await context.checkpoint("charged", [7])
                    throw Failure()
                }
            }
            let unresolved = try await operation.unresolved()
            #expect(unresolved.executions.map(\.key.key) == [key])
            let result = try await operation.run(key, tenant: "tenant", fingerprint: .none) { context in
                "\(context.checkpoint?.name ?? "none") \(context.attempt)"
            }
            #expect(result.value == "charged 2")
            #expect(result.origin == .fresh)
            clock.advance(by: .seconds(5))
            let replayed = try await operation.run(key, tenant: "tenant", fingerprint: .none) { _ in "again" }
            #expect(replayed.value == "charged 2")
            guard case .replayed(_, let age) = replayed.origin else {
                Issue.record("\(replayed.origin)")
                return
            }
            #expect(age == .seconds(5))
        }
    }
}
