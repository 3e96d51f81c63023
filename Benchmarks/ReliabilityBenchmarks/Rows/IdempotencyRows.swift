// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores

extension Row {
    static let idempotency = [
        Row(
            "Idempotency", "in memory: claim + complete", floor: Floor.dictionary,
            count: .fixed(Keys.count, smoke: 1_000)
        ) { meter in
            let (keys, operation, fingerprint) = (Keys.all, operation(), Fingerprint { $0.field("amount", 100) })
            return try await meter.async { count in
                var done = 0
                for number in 0..<count {
                    let result = try await operation.run(keys[number], tenant: "shop", fingerprint: fingerprint) { _ in
                        Keys.response(number)
                    }
                    if result.origin == .fresh { done += 1 }
                }
                return done
            }
        },
        Row(
            "Idempotency", "in memory: replay", floor: Floor.dictionaryHit, count: .fixed(Keys.count, smoke: 1_000)
        ) { meter in
            let (keys, copies) = (Keys.all, Keys.copies)
            let (operation, fingerprint) = (operation(), Fingerprint { $0.field("amount", 100) })
            for number in 0..<meter.count {
                _ = try await operation.run(keys[number], tenant: "shop", fingerprint: fingerprint) { _ in
                    Keys.response(number)
                }
            }
            return try await meter.async { count in
                var done = 0
                for number in 0..<count {
                    let result = try await operation.run(copies[number], tenant: "shop", fingerprint: fingerprint) {
                        _ in []
                    }
                    if result.isReplayed, result.value.count == 256 { done += 1 }
                }
                return done
            }
        },
        Row(
            "Idempotency", "file: claim + complete, 64 keys at once", floor: "file: claim + complete, 64 callers",
            count: .fixed(20_000, smoke: 640), usesFiles: true
        ) { meter in
            let store = try FileIdempotencyStore(directory: meter.scratch.newPath("store"))
            let operation = IdempotentOperation("charge", store: store, codec: .bytes, ifUnknown: .park)
            let (keys, fingerprint) = (Keys.all, Fingerprint { $0.field("amount", 100) })
            let sample = try await meter.async { count in
                try await concurrently(64, count) { number, _ in
                    try await operation.run(keys[number], tenant: "shop", fingerprint: fingerprint) { _ in
                        Keys.response(number)
                    }.origin == .fresh
                }
            }
            try await store.records.close()
            return sample
        },
        Row("Idempotency", "fingerprint of 1 KiB", floor: Floor.digest) { meter in
            let body = [UInt8](repeating: 0x5A, count: 1_024)
            return try meter.sync { count in
                var done = 0
                for _ in 0..<count {
                    let fingerprint = Fingerprint { $0.field("body", body) }
                    blackHole(fingerprint)
                    done += 1
                }
                return done
            }
        },
        Row("Idempotency", "fingerprint of 1 KiB, keyed", floor: Floor.digest) { meter in
            let key = try FingerprintKey(id: "benchmark", secret: [UInt8](repeating: 0xA5, count: 32))
            let (keys, body) = ([key], [UInt8](repeating: 0x5A, count: 1_024))
            return try meter.sync { count in
                var done = 0
                for _ in 0..<count {
                    let fingerprint = Fingerprint(keys: keys) { $0.field("body", body) }
                    blackHole(fingerprint)
                    done += 1
                }
                return done
            }
        },
    ]

    private static func operation() -> IdempotentOperation<[UInt8]> {
        IdempotentOperation("charge", store: InMemoryRecordStore(), codec: .bytes, ifUnknown: .park)
    }
}
