// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting
import Testing

/// The stores that every test of the operation runs on.
struct StoreFactory: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (ManualClock) throws -> any RecordStore

    static let all = [
        StoreFactory(testDescription: "in memory") { InMemoryRecordStore(clock: $0) }
    ]
}
