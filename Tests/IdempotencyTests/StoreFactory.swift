// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Idempotency
import ReliabilityTesting
import Testing

/// The stores that every test of the operation runs on.
struct StoreFactory: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable (ManualClock, ScratchDirectory) throws -> any RecordStore

    static let all = [
        StoreFactory(testDescription: "in memory") { clock, _ in InMemoryRecordStore(clock: clock) },
        StoreFactory(testDescription: "in files") { clock, scratch in
            try FileRecordStore(directory: scratch.path, clock: clock)
        },
    ]
}

/// A path for one test's files, which go when nobody uses it any more.
final class ScratchDirectory: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(path: "idempotency-\(UUID())").path
    deinit { try? FileManager.default.removeItem(atPath: path) }
}
