// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting
import Testing

@Suite struct InMemoryRecordStoreConformanceTests {
    private let conformance = RecordStoreConformance(
        makeStore: { InMemoryRecordStore(clock: $0) },
        makeLimitedStore: { InMemoryRecordStore(capacity: $0, clock: $1) }
    ).exactly

    @Test(arguments: RecordStoreConformance.checks) func `it keeps the promise`(
        check: RecordStoreConformance.Check
    ) async throws {
        try await conformance.run(check)
    }
}
