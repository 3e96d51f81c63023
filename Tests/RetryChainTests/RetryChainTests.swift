// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Synchronization
import Testing

@testable import retry_chain

@Suite struct RetryChainTests {
    private final class Log: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private func story() throws -> [String] {
        let log = Log()
        try RetryChain.lines { log.add($0) }
        return log.all
    }

    @Test func `every run tells the same`() throws {
        let first = try story()
        for _ in 0..<20 { #expect(try story() == first) }
    }

    @Test func `attempts come after 1, 5 and 30 seconds, and then the dead letters`() throws {
        let told = try story().filter { $0.contains("order-3  ") }.map { $0.split(separator: " ", maxSplits: 1)[0] }
        #expect(told == ["0.0", "0.0", "1.0", "1.0", "6.0", "6.0", "36.0", "36.0", "order-3", "60.0", "60.0"])
    }

    @Test func `an operation that never ends is no success`() {
        let time = VirtualTime()
        #expect(throws: VirtualTime.Stalled.self) {
            try time.run { await unsafe withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
        }
        #expect(throws: CancellationError.self) { try time.run { throw CancellationError() } }
    }
}
