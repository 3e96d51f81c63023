// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores

/// The local stores, for tests that every one of them has to pass: `@Test(arguments: StoreKind.all)`.
package struct StoreKind: Sendable, CustomStringConvertible {
    package let description: String
    /// Makes an empty store on a clock; what it keeps in files goes with the directory.
    package let make: @Sendable (ManualClock, TemporaryDirectory) throws -> any RecordStore

    package static let all = [
        StoreKind(description: "in memory") { clock, _ in InMemoryRecordStore(clock: clock) },
        StoreKind(description: "in files") { clock, directory in
            try FileRecordStore(directory: directory.path + "/store", clock: clock)
        },
    ]
}
