// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// Promises 3 and 7.
extension IdempotencyStoreConformance {
    static let leaseChecks =
        [
            Check(
                "an execution is in progress to the last nanosecond of its lease, and unknown from its end", promise: 3
            ) {
                bench in
                let key = try bench.key()
                try await bench.acquire(key, for: .seconds(10))
                bench.advance(by: .nanoseconds(9_999_999_999))
                try await bench.requireState(key, .inProgress(leaseRemaining: .nanoseconds(1)), "a nanosecond before")
                try require(try await bench.listed(), is: [], "what is listed a nanosecond before")
                let early = try await bench.entry(key)
                try await bench.refused(key, takingOver: early, "a nanosecond before the lease ends")
                bench.advance(by: .nanoseconds(1))
                let entry = try await bench.entry(key)
                try require(entry.state, is: .unknown(.leasePassed), "the state at the end of the lease")
                try require(try await bench.listed(), is: [entry], "what is listed at the end of the lease")
                try await bench.acquire(key, takingOver: entry)
            },
            Check("an extend moves the end of the lease to so long from now, to earlier too", promise: 3) { bench in
                let key = try bench.key()
                var execution = try await bench.acquire(key, for: .seconds(60))
                for (passed, lease) in [(10, 60), (10, 5), (4, 30), (0, 100)] as [(Int64, Int64)] {
                    bench.advance(by: .seconds(passed))
                    var expected = execution
                    expected.leaseUntil = try await bench.now().advanced(by: .seconds(lease))
                    execution = try await bench.extend(execution, by: .seconds(lease))
                    try require(execution, is: expected, "the execution after an extend by \(lease) seconds")
                    let entry = try await bench.entry(key)
                    try require(entry.execution, is: expected, "the execution that a read shows")
                    try require(entry.state, is: .inProgress(leaseRemaining: .seconds(lease)), "the state")
                }
                bench.advance(by: .seconds(100))
                try await bench.requireState(key, .unknown(.leasePassed), "at the end of the last lease")
            },
            Check("an extend after the lease has passed puts the execution in progress again", promise: 3) { bench in
                let key = try bench.key()
                let execution = try await bench.lapsed(key).execution
                bench.advance(by: .seconds(1_000))
                let extended = try await bench.extend(execution, by: .seconds(5))
                let now = try await bench.now()
                try require(extended.leaseUntil, is: now.advanced(by: .seconds(5)), "the end of the lease")
                try await bench.requireState(key, .inProgress(leaseRemaining: .seconds(5)), "after an extend")
                try await bench.refused(key, "after an extend")
                bench.advance(by: .seconds(5))
                try await bench.requireState(key, .unknown(.leasePassed), "when the second lease has passed")
            },
            Check("completion, release and an unknown outcome end the lease", promise: 3) { bench in
                let keys = try ["completed", "released", "unknown"].map { try bench.key($0) }
                var executions: [IdempotencyExecution] = []
                for key in keys { executions.append(try await bench.acquire(key, for: .seconds(5_000))) }
                try await bench.complete(executions[0], for: .seconds(5))
                try await bench.release(executions[1])
                try await bench.markUnknown(executions[2], because: .unsettled)
                let now = try await bench.now()
                for key in [keys[0], keys[2]] {
                    let until = try await bench.entry(key).execution.leaseUntil
                    try require(until <= now, "the lease of \(key) goes on until \(until), at \(now)")
                }
                try await bench.requireState(keys[2], .unknown(.unsettled), "within the lease")
                try await bench.requireAbsent(keys[1], "within the lease, after a release")
                bench.advance(by: .seconds(5))
                try await bench.requireAbsent(keys[0], "within the lease, after the retention")
                try await bench.acquire(keys[0])
                try await bench.acquire(keys[1])
                try await bench.acquire(keys[2], takingOver: try await bench.entry(keys[2]))
            },
            Check("a take-over starts a lease of its own", promise: 3) { bench in
                let key = try bench.key()
                try await bench.markUnknown(try await bench.acquire(key, for: .seconds(5_000)))
                try await bench.acquire(key, for: .seconds(5), takingOver: try await bench.entry(key))
                bench.advance(by: .nanoseconds(4_999_999_999))
                try await bench.requireState(key, .inProgress(leaseRemaining: .nanoseconds(1)), "before its lease ends")
                bench.advance(by: .nanoseconds(1))
                try await bench.requireState(key, .unknown(.leasePassed), "when its lease has passed")
            },
            Check("the store's time is that of its clock", promise: 7) { bench in
                let start = try await bench.now()
                try require(try await bench.now(), is: start, "the time while the clock stands still")
                for duration in [Duration.nanoseconds(1), .microseconds(1), .seconds(86_400)] {
                    let before = try await bench.now()
                    bench.advance(by: duration)
                    let passed = before.duration(to: try await bench.now())
                    try require(passed, is: duration, "the time that has passed")
                }
            },
        ] + IdempotencyBench.Call.allCases.map(lateCheck)

    /// A late owner can still do everything, once.
    private static func lateCheck(_ call: IdempotencyBench.Call) -> Check {
        Check("a call to \(call.rawValue) is taken long after the lease, while nobody else has the key", promise: 3) {
            bench in
            let key = try bench.key()
            let execution = try await bench.lapsed(key).execution
            bench.advance(by: .seconds(1_000_000))
            try await bench.refused(key, "that names nothing")
            try require(try await bench.make(call, of: execution), is: .done, "the answer to a late owner")
            let lease = IdempotencyBench.lease
            switch (call, try await bench.store.read(key)?.state) {
            case (.complete, .completed(.value([9]), _, .zero)), (.release, nil), (.markUnknown, .unknown(.declared)):
                break
            case (.extend, .inProgress(lease)), (.checkpoint, .inProgress(lease)): break
            case (_, let state):
                throw Violation("after a late call to \(call.rawValue) the state is \(state.debugDescription)")
            }
        }
    }
}
