// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import Synchronization
import Testing

@Suite struct PipelineTests {
    /// Notes when it is entered and left.
    private final class Tracing: Policy {
        static let trace = Mutex<[String: [String]]>([:])
        let name: String
        let test: String

        init(_ name: String, in test: String) {
            self.name = name
            self.test = test
        }

        var summary: String { "tracing \(name)" }

        private func note(_ event: String) {
            Self.trace.withLock { $0[test, default: []].append("\(event) \(name)") }
        }

        func run<Success>(_ operation: () async throws -> Success) async throws -> Success {
            note("enter")
            defer { note("leave") }
            return try await operation()
        }
    }

    private struct Declined: Error, Equatable {
        let code: Int
    }

    /// Not sendable, and bound to the caller's isolation.
    private final class Local {
        var value = 0
    }

    @Test func `the first policy listed is the outermost`() async throws {
        let pipeline = Pipeline {
            Tracing("a", in: "order")
            Pipeline {
                Tracing("b", in: "order")
                Tracing("c", in: "order")
            }
            Tracing("d", in: "order")
        }
        #expect(pipeline.layers == ["tracing a", "tracing b", "tracing c", "tracing d"])
        #expect(pipeline.summary == "tracing a > tracing b > tracing c > tracing d")
        try await pipeline.run {}
        let trace = Tracing.trace.withLock { $0["order"] }
        let names = ["a", "b", "c", "d"]
        #expect(trace == names.map { "enter \($0)" } + names.reversed().map { "leave \($0)" })
    }

    @Test func `the operation's own error comes through every layer unchanged`() async {
        let pipeline = Pipeline {
            Tracing("a", in: "error")
            Tracing("b", in: "error")
        }
        await #expect(throws: Declined(code: 51)) { try await pipeline.run { throw Declined(code: 51) } }
    }

    @Test @MainActor func `the operation runs in the caller's isolation and may return what is not sendable`()
        async throws
    {
        let local = Local()
        let pipeline = Pipeline { Tracing("a", in: "isolation") }
        let same = try await pipeline.run {
            MainActor.assertIsolated()
            local.value += 1
            return local
        }
        #expect(same === local && local.value == 1)
        #expect(pipeline.layers == ["tracing a"])
    }
}
