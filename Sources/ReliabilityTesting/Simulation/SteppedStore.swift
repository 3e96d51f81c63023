// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
internal import ReliabilityCore

/// A file store on a simulated disk that does nothing by itself: what it writes when, and what time it is, the caller
/// says, and so the same calls make the same files.
package final class SteppedStore: Sendable {
    /// What the wall clock shows unless it is said otherwise.
    package static let start = Timestamp(nanosecondsSince1970: 1_700_000_000_000_000_000)

    package let store: FileRecordStore
    /// Who has opened it.
    package let process: ProcessIdentity
    private let executor = ManualExecutor()

    /// Opens the store.
    ///
    /// - Parameter process: which life of the process opens it.
    package init(
        _ path: String, on files: any FileSystem, durability: FileDurability = .everyCommit,
        committer: FileCommitter = .ownThread, clock: ManualClock = ManualClock(), layout: FileStoreLayout = .small,
        process: UInt64 = 1, wallTime: Timestamp = SteppedStore.start,
        onEvent: (@Sendable (FileStoreEvent) -> Void)? = nil
    ) throws(FileStoreError) {
        self.process = ProcessIdentity(host: "simulated", pid: 7, instance: process)
        store = try FileRecordStore(
            directory: path, durability: durability, committer: committer, clock: clock, fileSystem: files,
            layout: layout, process: self.process, wallTime: wallTime, random: .seeded(process), startsThread: false,
            onEvent: onEvent)
    }

    /// Starts a call, which goes on when the store is stepped.
    package func start<Success: Sendable>(
        _ operation: @escaping @Sendable (FileRecordStore) async throws -> Success
    ) -> ManualExecutor.Pending<Success> {
        let pending = executor.start { [store] in try await operation(store) }
        executor.runUntilIdle()
        return pending
    }

    /// Lets the store do one thing; `false` if there is nothing to do.
    @discardableResult
    package func step() -> Bool {
        let did = store.step()
        executor.runUntilIdle()
        return did
    }

    /// Runs a call, and lets the store do what the call needs.
    package func run<Success: Sendable>(
        _ operation: @escaping @Sendable (FileRecordStore) async throws -> Success
    ) throws -> Success {
        let pending = start(operation)
        while pending.value == nil, step() {}
        guard let value = pending.value else { throw ManualExecutor.Stalled() }
        return try value.get()
    }

    /// Commits changes that have to go through; returns the new fences.
    @discardableResult
    package func commit(_ changes: Change...) throws -> [Fence] {
        switch try run({ try await $0.commit(changes) }) {
        case .committed(let committed): return committed.fences
        case .conflict(let conflict): throw Conflicted(conflict: conflict)
        }
    }

    /// Closes the store.
    package func close() throws { try run { try await $0.close() } }

    /// A commit met something else than it was made for.
    package struct Conflicted: Error {
        package let conflict: CommitAnswer.Conflict
    }
}
