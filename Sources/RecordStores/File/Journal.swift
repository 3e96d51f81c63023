// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The writing end of a store's file: one thread that writes and syncs what gathered while it wrote and synced before.
///
/// Entries are appended under the store's lock, so that the file has them in the order in which the table took them;
/// whoever needs them durable then waits, and one sync serves all that wait. A failed write or sync ends the journal
/// for good: what is on the medium is not known any more, and a second sync that succeeds would prove nothing.
final class Journal: Sendable {
    /// Where a file can be continued.
    struct Place {
        let generation: UInt64
        var offset: Int
        var nextSequence: UInt64
        /// Whether the file ends with a seal.
        var isSealed: Bool
    }

    private struct Waiter {
        let sequence: UInt64
        let continuation: CheckedContinuation<StoreFailure?, Never>
    }

    private struct State {
        /// Frames that the thread has not taken yet.
        var pending: [UInt8] = []
        var nextSequence: UInt64
        /// Where the file ends once everything that was appended is written.
        var end: Int
        /// Up to where the file is on the medium.
        var syncedThrough: Int
        /// The last frame that is on the medium.
        var durable: UInt64
        var waiters: [Waiter] = []
        var isSealed: Bool
        var isParked = false
        var isFinishing = false
        /// Whether the thread has let go of the file.
        var isEnded = false
        var failure: StoreFailure?
        var finishers: [CheckedContinuation<Void, Never>] = []
    }

    private let file: any WritableFile
    private let generation: UInt64
    private let state: Locked<State>
    private let hasPending = Atomic<Bool>(false)
    private let parker = Parker()
    private let onEnd: @Sendable (StoreFailure?) -> Void

    /// Continues a file at a place up to which it is on the medium.
    ///
    /// - Parameter onEnd: called once on the journal's thread, when it has let go of the file; with the failure if one
    ///   ended it.
    init(
        _ file: any WritableFile, at place: Place, path: String, onEnd: @escaping @Sendable (StoreFailure?) -> Void
    ) throws(StoreFailure) {
        self.file = file
        self.onEnd = onEnd
        generation = place.generation
        state = Locked(
            State(
                nextSequence: place.nextSequence, end: place.offset, syncedThrough: place.offset,
                durable: place.nextSequence - 1, isSealed: place.isSealed))
        guard startThread({ self.run() }) else {
            throw StoreFailure(operation: "start of the writer", subject: path, code: 0)
        }
    }

    /// Throws if a write has failed: the journal takes no more, and what the table holds may not be durable.
    func check() throws(StoreError) {
        if let failure = state.withLock({ $0.failure }) { throw .unavailable(failure) }
    }

    /// The last frame that was appended; what is durable up to it covers everything in the table.
    var lastSequence: UInt64 { state.withLock { $0.nextSequence - 1 } }

    /// Appends an entry and returns its sequence number. It is durable once ``failure(upTo:)`` has returned `nil`.
    func append(_ entry: JournalEntry) -> UInt64 {
        let payload = entry.encoded()
        let (sequence, mustWake) = state.withLock { state in (append(payload, to: &state), unpark(&state)) }
        hasPending.store(true, ordering: .releasing)
        if mustWake { parker.wake() }
        return sequence
    }

    /// Requires the lock.
    private func append(_ payload: [UInt8], to state: inout State) -> UInt64 {
        let sequence = state.nextSequence
        let before = state.pending.count
        JournalFormat.appendFrame(
            payload, to: &state.pending, sequence: sequence, syncedThrough: UInt64(state.syncedThrough),
            generation: generation)
        state.end += state.pending.count - before
        state.nextSequence += 1
        state.isSealed = false
        return sequence
    }

    /// Requires the lock; `true` if the thread sleeps and has to be woken.
    private func unpark(_ state: inout State) -> Bool {
        defer { state.isParked = false }
        return state.isParked
    }

    /// Suspends until everything up to a sequence number is durable; returns why it will not be if a write failed.
    ///
    /// It ignores cancellation: what was appended will be written.
    func failure(upTo sequence: UInt64) async -> StoreFailure? {
        if case .known(let failure) = state.withLock({ self.fate(of: sequence, in: $0) }) { return failure }
        return await withCheckedContinuation { continuation in
            let fate = state.withLock { state -> Fate in
                let fate = self.fate(of: sequence, in: state)
                if case .open = fate {
                    state.waiters.append(Waiter(sequence: sequence, continuation: continuation))
                }
                return fate
            }
            if case .known(let failure) = fate { continuation.resume(returning: failure) }
        }
    }

    /// What has become of a frame.
    private enum Fate {
        /// It is durable, or a failure has come before it was.
        case known(StoreFailure?)
        /// It is still to be written.
        case open
    }

    /// Requires the lock.
    private func fate(of sequence: UInt64, in state: State) -> Fate {
        if state.durable >= sequence { return .known(nil) }
        return state.failure.map { .known($0) } ?? .open
    }

    /// Lets the thread write what was appended, seal the file and end; does not wait for it.
    func startFinishing() {
        let mustWake = state.withLock { state -> Bool in
            guard !state.isFinishing else { return false }
            state.isFinishing = true
            return unpark(&state)
        }
        hasPending.store(true, ordering: .releasing)
        if mustWake { parker.wake() }
    }

    /// Waits until the thread has let go of the file; the failure if one ended it.
    func finish() async -> StoreFailure? {
        startFinishing()
        await withCheckedContinuation { continuation in
            let isEnded = state.withLock { state -> Bool in
                if !state.isEnded { state.finishers.append(continuation) }
                return state.isEnded
            }
            if isEnded { continuation.resume() }
        }
        return state.withLock { $0.failure }
    }
}

/// The journal's thread.
extension Journal {
    /// How often the thread looks for new entries before it sleeps: a few microseconds, less than being woken costs.
    private static let spins = 4_000

    private struct Batch {
        let offset: Int
        let end: Int
        let last: UInt64
    }

    private func run() {
        var bytes: [UInt8] = []
        var zeros = ZeroedSpace(end: state.withLock { $0.end })
        var failure: StoreFailure?
        while failure == nil, let batch = take(&bytes) {
            do throws(StoreFailure) {
                try zeros.makeRoom(for: batch.end, in: file)
                try file.write(bytes, at: batch.offset)
                try file.sync()
                settle(batch)
            } catch {
                failure = error
                fail(error)
            }
            bytes.removeAll(keepingCapacity: true)
        }
        file.close()
        onEnd(failure)
        let finishers = state.withLock { state in
            state.isEnded = true
            defer { state.finishers = [] }
            return state.finishers
        }
        for finisher in finishers { finisher.resume() }
    }

    /// Waits for entries and takes all there are; `nil` once the journal is finishing and nothing is left.
    private func take(_ bytes: inout [UInt8]) -> Batch? {
        while true {
            var spins = Self.spins
            while spins > 0, !hasPending.load(ordering: .acquiring) { spins -= 1 }
            hasPending.store(false, ordering: .relaxed)
            enum Next {
                case write(Batch)
                case sleep
                case end
            }
            let next = state.withLock { state -> Next in
                // By itself, when all before it is synced: whoever reads a seal relies on what it closes.
                if state.pending.isEmpty, state.isFinishing, !state.isSealed {
                    _ = append(JournalEntry.seal.encoded(), to: &state)
                    state.isSealed = true
                }
                if !state.pending.isEmpty {
                    let batch = Batch(
                        offset: state.end - state.pending.count, end: state.end, last: state.nextSequence - 1)
                    swap(&state.pending, &bytes)
                    return .write(batch)
                }
                if state.isFinishing { return .end }
                state.isParked = true
                return .sleep
            }
            switch next {
            case .write(let batch): return batch
            case .end: return nil
            case .sleep: parker.park()
            }
        }
    }

    private func settle(_ batch: Batch) {
        let served = state.withLock { state -> [Waiter] in
            state.syncedThrough = batch.end
            state.durable = batch.last
            let served = state.waiters.filter { $0.sequence <= batch.last }
            state.waiters.removeAll { $0.sequence <= batch.last }
            return served
        }
        for waiter in served { waiter.continuation.resume(returning: nil) }
    }

    private func fail(_ failure: StoreFailure) {
        let waiters = state.withLock { state -> [Waiter] in
            state.failure = failure
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: failure) }
    }
}
