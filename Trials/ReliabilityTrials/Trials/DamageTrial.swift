// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import ReliabilityTesting

extension Trial {
    /// Every damage of one bit and every length to which a file can be cut, on a simulated disk: the tests take a sample.
    static let damage = Trial(
        name: "damage", summary: "turns over every bit of a closed store, and cuts its files to every length", cycles: 1
    ) { context in
        var (bits, lengths, refused) = (0, 0, 0)
        for cycle in 0..<context.cycles {
            let several = try DamagedStore.several(variant: UInt8(truncatingIfNeeded: cycle + 1))
            for file in several.files {
                let length = several.length(of: file)
                refused += try await check(0..<8 * length, of: file, in: several) { .bit($0) }
                refused += try await check(0..<length, of: file, in: several) { .truncation($0) }
                bits += 8 * length
                lengths += length
            }
            let straddling = try DamagedStore.straddling()
            for file in straddling.files {
                let length = straddling.length(of: file)
                refused += try await check(0..<length, of: file, in: straddling) { .truncation($0) }
                lengths += length
            }
        }
        return .passed("\(bits) bits and \(lengths) lengths, \(refused) refused, the others without a loss")
    }

    /// Damages a file in all these ways, as many at a time as pays; returns how many the store refused.
    private static func check(
        _ numbers: Range<Int>, of file: String, in store: DamagedStore,
        _ damage: @escaping @Sendable (Int) -> DamagedStore.Damage
    ) async throws -> Int {
        let parts = 8
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for part in 0..<parts {
                group.addTask {
                    try stride(from: part, to: numbers.upperBound, by: parts)
                        .count { try store.check(damage($0), of: file) }
                }
            }
            return try await group.reduce(0, +)
        }
    }
}
