// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The keys and values that the store rows and their floors use.
enum Keys {
    /// How many keys a sample of the in-memory rows puts into an empty store.
    static let count = 100_000
    /// How many it takes until hardly any of them is in a cache of the processor.
    static let largeCount = 1_000_000

    /// Different keys of 30 characters.
    static let all = make(count)
    /// The same keys as other objects, as a second request brings them.
    static let copies = make(count)
    private static let many = make(largeCount)

    /// Different keys for a sample of that size.
    static func first(_ count: Int) -> [String] { count <= all.count ? all : many }

    private static func make(_ count: Int) -> [String] {
        (0..<count).map { number in
            let digits = "\(number)"
            return "order-2026-customer-" + String(repeating: "0", count: 10 - digits.count) + digits
        }
    }

    /// A new response of 256 bytes, which costs one allocation.
    static func response(_ number: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 256)
    }
}
