// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Sagas
import Synchronization
import Testing

private struct Trip: Codable, Hashable, Sendable { var city = "Oslo" }

/// The other sides: what stands, by step, each key served once.
private final class Desk: Sendable {
    private let state = Locked((standing: [String](), served: Set<String>()))

    var standing: [String] { state.withLock { $0.standing } }

    func act(_ context: SagaContext<Trip>) {
        state.withLock { state in
            if state.served.insert(context.key).inserted { state.standing.append(context.step) }
        }
    }

    func find(_ context: SagaContext<Trip>) -> SagaProbeAnswer<Void> {
        state.withLock { $0.served.contains(context.key) } ? .applied : .notApplied
    }

    func undo(_ context: SagaContext<Trip>) {
        state.withLock { state in
            state.served.insert(context.forwardKey)
            state.standing.removeAll { $0 == context.step }
        }
    }

    /// Two steps in a group, one before, a pivot and a step after it.
    func definition(undoes: Bool = true) -> SagaDefinition<Trip> {
        func booking(_ name: String) -> SagaStep<Trip, Void> {
            SagaStep(name, ifUnknown: .reexecute) {
                self.act($0)
            } compensation: {
                if undoes { self.undo($0) }
            }
        }
        return SagaDefinition("trip", version: 1) {
            booking("flight")
            SagaParallel {
                booking("hotel")
                booking("car")
            }
            SagaStep.event("approval", String.self, within: .seconds(3_600))
            SagaStep.pivot("pay", ifUnknown: .probe { self.find($0) }) { self.act($0) }
            SagaStep.retriable("confirm", ifUnknown: .reexecute) { self.act($0) }
        }
    }
}

@Suite struct SagaTestTests {
    private let approval = SagaStep<Trip, String>.event("approval", String.self)

    /// What a script makes of the trip.
    private enum Case: String, CaseIterable {
        case everythingWorks
        case carIsRefused
        case payIsRefused
        case flightFailsAfterItsEffect
        case confirmFailsTwice
        case approvalIsMissing

        var result: String {
            switch self {
            case .everythingWorks, .confirmFailsTwice: "done"
            case .carIsRefused, .payIsRefused, .flightFailsAfterItsEffect, .approvalIsMissing: "undone"
            }
        }
    }

    private func test(_ story: Case) -> SagaTest<Trip> {
        let test = SagaTest(Trip())
        let approved = test.signalled(approval, "Ada")
        switch story {
        case .everythingWorks: return approved
        case .carIsRefused: return approved.action("car", .isRefused)
        case .payIsRefused: return approved.action("pay", .isRefused)
        case .flightFailsAfterItsEffect: return approved.action("flight", .failsAfterItsEffect)
        case .confirmFailsTwice: return approved.action("confirm", attempts: 1...2, .failsBeforeItsEffect)
        case .approvalIsMissing: return test
        }
    }

    private func judge(_ desk: Desk, _ run: SagaTestRun) -> String? {
        switch (run.result, desk.standing.sorted()) {
        case (.completed, ["car", "confirm", "flight", "hotel", "pay"]): "done"
        case (.compensated, []): "undone"
        case (_, let standing): "\(run.result) with \(standing)"
        }
    }

    @Test(arguments: Case.allCases)
    private func `a saga ends as its script says, whenever its process ends`(_ story: Case) async throws {
        var desk = Desk()
        var crashes: Set<SagaTestRun.Crash> = []
        let runs = try await test(story).crashingEverywhere {
            desk = Desk()
            return desk.definition()
        } check: { run in
            #expect(judge(desk, run) == story.result, "\(story) \(run)")
            if let crash = run.crash { crashes.insert(crash) }
            // The keys of a step's calls never change.
            for (_, calls) in Dictionary(grouping: run.calls, by: { "\($0.step) \($0.closure)" }) {
                #expect(Set(calls.map(\.key)).count == 1)
            }
        }
        #expect(runs == crashes.count + 1)
        #expect(crashes.count > 10)
    }

    @Test func `a definition that undoes nothing is found`() async throws {
        var desk = Desk()
        var verdicts: Set<String?> = []
        try await test(.payIsRefused).crashingEverywhere {
            desk = Desk()
            return desk.definition(undoes: false)
        } check: { run in
            verdicts.insert(judge(desk, run))
        }
        #expect(!verdicts.contains("undone"))
    }

    @Test func `a pivot that can be refused gets stuck without a probe if its process ends in an earlier call`()
        async throws
    {
        var results: Set<String> = []
        try await SagaTest(Trip()).action("pay", .isRefused).crashingEverywhere {
            SagaDefinition<Trip>("trip", version: 1) { SagaStep.pivot("pay", ifUnknown: .reexecute) { _ in } }
        } check: { run in
            if case .stuck(let stuck) = run.result {
                results.insert("\(stuck.reason)")
            } else {
                results.insert("undone")
            }
        }
        #expect(results == ["attemptsExhausted", "undone"])
    }

    @Test func `a script for a step that the definition does not have is refused`() async {
        await #expect(processExitsWith: .failure) {
            _ = try await SagaTest(Trip()).action("hotle", .isRefused).run(Desk().definition())
        }
        await #expect(processExitsWith: .failure) {
            _ = try await SagaTest(Trip()).compensation("pay", .isRefused).run(Desk().definition())
        }
        await #expect(processExitsWith: .failure) {
            _ = try await SagaTest(Trip()).action("approval", .isRefused).run(Desk().definition())
        }
    }

    @Test func `a saga that waits for an event that never comes has stalled`() async throws {
        let definition = SagaDefinition<Trip>("trip", version: 1) { SagaStep<Trip, Void>.event("approval") }
        let stalled = try await #require(throws: SagaTestStalled.self) {
            _ = try await SagaTest(Trip()).run(definition)
        }
        #expect(stalled.status.steps.map(\.name) == ["approval"])
    }
}
