// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Sagas
import Testing

@Suite struct `The cost of a saga` {
    @Test func `is n + 3 commits for n steps that succeed, one of which is its claim`() async throws {
        for count in [1, 3] {
            let bench = try Bench(StoreKind.all[0])
            let store = FailingStore(bench.store) { _ in .answers }
            let one = SagaDefinition<Order>("checkout", version: 1) { step("a", bench.ledger) }
            let definition = count == 1 ? one : bench.definition()
            let coordinator = bench.coordinator(definition, on: store)
            #expect(try await bench.drive(definition, on: coordinator) == .ended(.completed))
            #expect(bench.ledger.calls.count == count && store.commits == count + 2)
        }
    }
}
