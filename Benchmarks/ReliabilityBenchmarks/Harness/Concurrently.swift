// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// Spreads numbers evenly over tasks that run at the same time, each with a holder of its own; returns for how many
/// of them the operation held true.
func concurrently(
    _ callers: Int, _ count: Int, _ operation: @escaping @Sendable (Int, Holder) async throws -> Bool
) async throws -> Int {
    try await withThrowingTaskGroup(of: Int.self) { group in
        for caller in 0..<callers {
            group.addTask {
                let holder = Holder.new()
                var done = 0
                for number in stride(from: caller, to: count, by: callers) {
                    if try await operation(number, holder) { done += 1 }
                }
                return done
            }
        }
        return try await group.reduce(0, +)
    }
}
