// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
internal import ReliabilityCore

/// Stores that are worth damaging: always the same bytes.
extension DamagedStore {
    /// The sizes by which they go: small files, of which most is frames.
    package static var layout: FileStoreLayout {
        var layout = FileStoreLayout.small
        layout.journal = 1_500
        layout.reserve = 512
        layout.steps = 4_096...4_096
        layout.smallestCompaction = .max
        layout.snapshotPiece = 300
        layout.snapshotSync = 600
        return layout
    }

    /// A snapshot and several journals, with every kind of frame in them, closed twice.
    ///
    /// - Parameter variant: stores of other numbers have the same story, and other content.
    package static func several(variant: UInt8 = 1) throws -> DamagedStore {
        let disk = SimulatedDisk()
        let clock = ManualClock()
        let first = try SteppedStore(path, on: disk, clock: clock, layout: layout, process: UInt64(variant))
        func content(_ size: Int, _ state: String = "new", due: RecordContent.When = .never) -> RecordContent {
            RecordContent(
                state: state, body: [UInt8](repeating: variant, count: size), headers: ["trace": "\(variant)"],
                orderKey: "k\(size)", due: due)
        }
        func id(_ number: Int) -> RecordID { RecordID(number % 2 == 0 ? "even" : "ödd", "key \(number)") }
        func fill(_ numbers: Range<Int>, _ store: SteppedStore) throws -> [Fence] {
            var fences: [Fence] = []
            for number in numbers {
                fences += try store.commit(.insert(id(number), content(50 + number, due: .after(.zero))))
                clock.advance(by: .milliseconds(1))
            }
            return fences
        }
        let fences = try fill(0..<12, first)
        try first.run { try await $0.compact() }
        try first.commit(
            .replace(id(0), expecting: fences[0], with: content(90, "changed"), lease: .keep),
            .move(id(1), to: RecordID("elsewhere", "key 1"), expecting: fences[1], with: content(3), lease: .keep),
            .delete(id(2), expecting: fences[2]))
        _ = try fill(12..<24, first)
        try claim(id(4), first, nonce: 4)
        try first.close()
        let second = try SteppedStore(
            path, on: disk, clock: clock, layout: layout, process: UInt64(variant) + 100,
            wallTime: start(after: .seconds(10)))
        _ = try fill(24..<36, second)
        try claim(id(6), second, nonce: 6)
        try second.close()
        return try DamagedStore(disk)
    }

    /// A journal with a frame that begins where the file ended before it was made longer for this frame.
    package static func straddling() throws -> DamagedStore {
        let disk = SimulatedDisk()
        var layout = layout
        layout.journal = 100_000
        let store = try SteppedStore(path, on: disk, layout: layout)
        let big = [UInt8](repeating: 1, count: 20_000)
        try store.commit(.insert(RecordID("c", "small"), RecordContent(state: "s")))
        try store.commit(.insert(RecordID("c", "big"), RecordContent(state: "s", body: big)))
        try store.close()
        return try DamagedStore(disk)
    }

    private static func claim(_ id: RecordID, _ store: SteppedStore, nonce: UInt64) throws {
        let holder = Holder(nonce: nonce, process: store.process)
        let request = ClaimRequest(.ids([id]), lease: Lease(.seconds(60), holder: holder))
        let claimed = try store.run { try await $0.claim(request).claimed }
        guard let record = claimed.first else { throw Unexpected(description: "\(id) cannot be claimed") }
        _ = try store.run { try await $0.extend(id, fence: record.fence, lease: .seconds(90)) }
    }

    private static func start(after duration: Duration) -> Timestamp { SteppedStore.start.advanced(by: duration) }
}
