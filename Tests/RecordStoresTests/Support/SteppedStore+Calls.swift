// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Synchronization

@testable import RecordStores

/// What a store has told, in its order.
final class EventLog: Sendable {
    private let log = Mutex<[FileStoreEvent]>([])

    var events: [FileStoreEvent] { log.withLock { $0 } }

    func note(_ event: FileStoreEvent) { log.withLock { $0.append(event) } }
}

extension SteppedStore {
    static let path = "/store"

    func insert(_ number: Int, bytes: Int = 40, lease: Lease? = nil) throws -> Fence {
        let content = RecordContent(state: "s", body: [UInt8](repeating: 7, count: bytes), due: .after(.zero))
        return try commit(.insert(Self.id(number), content, lease: lease))[0]
    }

    static func id(_ number: Int) -> RecordID { RecordID("c", "key-\(number)") }

    var records: [Record] {
        get throws { try run { try await $0.scan("c", state: nil, after: nil, limit: 1_000).records } }
    }

    /// Lets the store do all there is to do.
    func stepUntilIdle() { while step() {} }
}

extension SimulatedDisk {
    /// The content of all files in a directory.
    func tree(_ path: String) -> [String: [UInt8]] {
        let paths = files.filter { $0.hasPrefix(path + "/") }
        return Dictionary(uniqueKeysWithValues: paths.map { ($0, contents(of: $0) ?? []) })
    }

    func count(of kind: DiskOperation.Kind, since first: Int = 0) -> Int {
        operations.count { $0.kind == kind && $0.number > first }
    }
}

extension FileStoreLayout {
    /// With room for some calls before the file has to grow.
    static var roomy: FileStoreLayout {
        var layout = FileStoreLayout.small
        layout.journal = .max / 2
        layout.smallestCompaction = .max
        layout.steps = 24_576...24_576
        return layout
    }
}

extension CommitAnswer {
    var isCommitted: Bool { if case .committed = self { true } else { false } }
}
