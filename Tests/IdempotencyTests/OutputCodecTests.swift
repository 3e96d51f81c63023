// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import ReliabilityTesting
import Testing

@Suite struct OutputCodecTests {
    struct Receipt: Codable, Equatable { var number: Int, note: String? }

    /// Calls twice: the handler must run once, and both calls get its value.
    private func expectReplay<Output: Equatable & Sendable>(
        _ value: Output, _ codec: OutputCodec<Output>
    ) async throws {
        let operation = IdempotentOperation("o", store: InMemoryRecordStore(), codec: codec, ifUnknown: .park)
        var runs = 0
        for isReplay in [false, true] {
            let result = try await operation.run("k", tenant: "t", fingerprint: Fingerprint { _ in }) { _ in
                runs += 1
                return value
            }
            #expect(result.value == value)
            #expect(result.isReplayed == isReplay)
        }
        #expect(runs == 1)
    }

    @Test func `values that count as nothing are replayed like any other`() async throws {
        try await expectReplay([], .bytes)
        try await expectReplay([0, 255], .bytes)
        try await expectReplay("", .string)
        try await expectReplay("é\0", .string)
        try await expectReplay(0, .json)
        try await expectReplay("", .json)
        try await expectReplay(false, .json)
        try await expectReplay([String](), .json)
        try await expectReplay(Int?.none, .json)
        try await expectReplay(Receipt(number: 0, note: nil), .json)
    }

    @Test func `an operation without a value runs once too`() async throws {
        let operation = IdempotentOperation("o", store: InMemoryRecordStore(), codec: .void, ifUnknown: .park)
        var runs = 0
        for _ in 0..<2 {
            _ = try await operation.run("k", tenant: "t", fingerprint: Fingerprint { _ in }) { _ in runs += 1 }
        }
        #expect(runs == 1)
    }
}
