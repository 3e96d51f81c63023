// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

/// A disk in memory that tells what its readers see from what is on the medium, and that fails as it is told to.
///
/// ```swift
/// let disk = SimulatedDisk()
/// disk.stop(after: 40)                          // the store works until the power goes
/// try? useStore(in: "/store", on: disk)
/// for cut in disk.outcomes() {                  // what the medium may hold then
///     try check("/store", on: disk.powerCut(cut))
/// }
/// ```
///
/// What it promises is what POSIX and the systems promise, and no more:
/// - What is written shows at once and is on the medium once the file is synced. Before that each sector of 512 bytes
///   gets there or not, in any order, as any write since the last sync left it; so does the file's length.
/// - A name that is made, changed or taken away is on the medium once its directory is synced; a sync of the file does
///   not see to it. A rename gets there whole.
/// - The root directory alone is there from the beginning. What a lock file contains is not simulated.
///
/// A copy (``killed()``, ``powerCut(_:)``) is another disk, as it is found by the next process: nothing on it is open or
/// locked, and what goes on with this one does not show there. Copies share what neither has changed.
package final class SimulatedDisk: Sendable {
    /// The error number of every operation that comes after the end.
    package static let powerLost: Int32 = 10_000
    private static let lastNumber = Atomic<Int>(0)

    let state: Locked<DiskState>
    let pid: Int32
    /// What comes while an operation of that kind is about to be carried out.
    private let interruption = Locked<(kind: DiskOperation.Kind, body: @Sendable () -> Void)?>(nil)
    /// What tells it from every other disk of this process.
    let number = SimulatedDisk.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue

    /// An empty disk.
    ///
    /// - Parameters:
    ///   - capacity: how many bytes its files may have together; `nil`: any number.
    ///   - pid: who is said to hold a lock.
    package convenience init(capacity: Int? = nil, pid: Int32 = 1) {
        var volume = SimulatedVolume()
        volume.capacity = capacity
        self.init(volume, pid: pid)
    }

    init(_ volume: SimulatedVolume, pid: Int32) {
        state = Locked(DiskState(volume: volume))
        self.pid = pid
    }

    /// How many operations there were, those that failed among them.
    package var operationCount: Int { state.withLock { $0.operationCount } }

    /// How many operations have failed.
    package var failureCount: Int { state.withLock { $0.failureCount } }

    /// The last operations, at least 1,000 of them if there were so many.
    package var operations: [DiskOperation] { state.withLock { $0.operations } }

    /// Lets something go wrong from now on; of several faults the one that was set first decides.
    package func inject(_ fault: DiskFault) { state.withLock { $0.arm(fault) } }

    /// Ends everything after so many more operations: from then on each fails with ``powerLost`` and does nothing.
    ///
    /// - Parameter bytes: how much is done of the first that fails, if it is a write.
    package func stop(after count: Int = 0, writing bytes: Int = 0) {
        state.withLock { $0.end(after: count, writing: bytes) }
    }

    /// Runs `body` just before the next operation of that kind, on the thread that asks for it; `nil`: nothing any more.
    package func interrupt(_ kind: DiskOperation.Kind, _ body: (@Sendable () -> Void)?) {
        interruption.withLock { $0 = body.map { (kind, $0) } }
    }

    /// What has to run before an operation.
    func takeInterruption(of kind: DiskOperation.Kind) -> (@Sendable () -> Void)? {
        interruption.withLock { interruption in
            guard let next = interruption, next.kind == kind else { return nil }
            interruption = nil
            return next.body
        }
    }

    /// How many bytes all files may have together.
    package var capacity: Int? {
        get { state.withLock { $0.volume.capacity } }
        set { state.withLock { $0.volume.capacity = newValue } }
    }

    /// How many bytes the files have that have a name or are open.
    package var usedBytes: Int { state.withLock { $0.volume.usedBytes } }
}
