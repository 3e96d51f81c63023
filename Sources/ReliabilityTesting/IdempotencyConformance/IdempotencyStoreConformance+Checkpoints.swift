// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

extension IdempotencyStoreConformance {
    static let checkpointChecks = [
        Check("a checkpoint takes the place of the one before, and tells the execution as it is then") { bench in
            let (key, holder) = (try bench.key(), Holder.new())
            var execution = try await bench.acquire(key, 5, by: holder)
            for (name, bytes) in [("first", [1, 2]), ("second", []), ("first", [3])] as [(String, [UInt8])] {
                bench.advance(by: .seconds(1))
                let next = try await bench.checkpoint(execution, name, bytes, by: .seconds(9))
                var expected = execution
                expected.fence = next.fence
                expected.checkpoint = try IdempotencyCheckpoint(name, bytes)
                expected.leaseUntil = try await bench.now().advanced(by: .seconds(9))
                try require(next, is: expected, "the execution after a checkpoint")
                let entry = try await bench.entry(key)
                try require(entry.execution, is: expected, "the execution that a read shows")
                try require(entry.holder, is: holder, "the holder")
                execution = next
            }
        },
        Check("a checkpoint moves the end of the lease to so long from now") { bench in
            let key = try bench.key()
            var execution = try await bench.acquire(key, for: .seconds(100))
            for lease in [10, 40] as [Int64] {
                execution = try await bench.checkpoint(execution, by: .seconds(lease))
                bench.advance(by: .seconds(lease) - .nanoseconds(1))
                try await bench.requireState(key, .inProgress(leaseRemaining: .nanoseconds(1)), "before the lease ends")
                bench.advance(by: .nanoseconds(1))
                try await bench.requireState(key, .unknown(.leasePassed), "at the end of a checkpoint's lease")
            }
        },
        Check("a checkpoint is there for those who take over, also from one that was left unknown") { bench in
            for isLeft in [false, true] {
                let key = try bench.key("\(isLeft)")
                var execution = try await bench.checkpoint(try await bench.acquire(key), "charged", [1, 2, 3])
                let checkpoint = execution.checkpoint
                for attempt in 2...4 {
                    if isLeft {
                        try await bench.markUnknown(execution)
                    } else {
                        bench.advance(by: IdempotencyBench.lease)
                    }
                    let entry = try await bench.entry(key)
                    try require(entry.execution.checkpoint, is: checkpoint, "the checkpoint of an unknown execution")
                    execution = try await bench.acquire(key, takingOver: entry)
                    try require(execution.attempt, is: attempt, "the attempt")
                    try require(execution.checkpoint, is: checkpoint, "the checkpoint of one that took over")
                    execution = try await bench.extend(execution, by: IdempotencyBench.lease)
                    try require(execution.checkpoint, is: checkpoint, "the checkpoint after an extend")
                }
                execution = try await bench.checkpoint(execution, "booked")
                try require(try await bench.entry(key).execution.checkpoint?.name, is: "booked", "the last checkpoint")
            }
        },
        Check("names and bytes of checkpoints come back as they were") { bench in
            let names = ["x", String(repeating: "n", count: 255), "e\u{301}", "\u{E9}", "a\0b", " ", "'\"\\%_;--"]
            let key = try bench.key()
            var execution = try await bench.acquire(key)
            for (name, bytes) in names.map({ ($0, [1]) }) + samples.map({ ("x", $0) }) {
                execution = try await bench.checkpoint(execution, name, bytes)
                for checkpoint in [execution.checkpoint, try await bench.entry(key).execution.checkpoint] {
                    try require(checkpoint.map { Array($0.name.utf8) }, is: Array(name.utf8), "the name's bytes")
                    try require(checkpoint?.bytes == bytes, "\(bytes.count) bytes came back otherwise")
                }
            }
        },
        Check("the checkpoints of a life that is over are gone") { bench in
            let key = try bench.key()
            for isReleased in [true, false] {
                let execution = try await bench.checkpoint(try await bench.acquire(key))
                if isReleased {
                    try await bench.release(execution)
                } else {
                    try await bench.complete(execution, for: .seconds(9))
                }
                bench.advance(by: .seconds(9))
                let next = try await bench.acquire(key)
                try require(next.checkpoint, is: nil, "the checkpoint of a new life")
                try require(
                    try await bench.entry(key).execution.checkpoint, is: nil, "the checkpoint that a read shows")
                try await bench.release(next)
            }
        },
        Check("a checkpoint of one execution shows in no other's") { bench in
            let (one, other) = (try bench.key("one"), try bench.key("other"))
            let execution = try await bench.acquire(other)
            try await bench.checkpoint(try await bench.acquire(one), "one")
            try require(try await bench.entry(other).execution, is: execution, "another key's execution")
        },
    ]

    /// Bytes that a careless encoding loses.
    static let samples: [[UInt8]] = [
        [], [0], [0, 0, 0], Array(0...255), Array("'\";\\x00\r\n".utf8), [0xFF, 0xFE, 0xC3, 0x28],
        (0..<262_144).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) },
    ]
}
