// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The writing end of a store: takes commits in the order in which the table took them, lets one thread write and sync
/// what gathered while it wrote and synced before, and tells whoever waits when it is durable.
///
/// Where ``FileCommitter/caller`` says so, a caller that finds the thread asleep leads: it writes and syncs all that is
/// pending in the thread's place. Everything else, and what gathers meanwhile, is the thread's; so the files are in one
/// hand at a time, and nobody leads twice for others.
///
/// One sync serves all that wait for it. A failed write or sync of a frame ends the journal for good: what is on the
/// medium is not known any more, and a second sync that succeeds would prove nothing. A snapshot or a new journal that
/// cannot be written does no harm, and is tried again later.
final class Journal: Sendable {
    @safe
    struct Waiter {
        let sequence: UInt64
        /// Taken out of the list by whoever resumes it, so it is resumed once.
        let continuation: UnsafeContinuation<StoreFailure?, Never>
    }

    struct State {
        /// Frames that nobody has taken yet to write them.
        var pending = PendingFrames()
        var nextSequence: UInt64
        /// The last frame that is as durable as the store declares.
        var answered: UInt64
        var waiters: [Waiter] = []
        /// The first frame of this opening, until there is a reason to write it.
        var opening: JournalEntry?
        /// How many more bytes of frames have their place in the file.
        var room: Int
        /// How much room somebody waits for.
        var wantedRoom = 0
        var roomWaiters: [CheckedContinuation<Void, Never>] = []
        /// Why the file cannot be filled further, as long as it cannot.
        var full: StoreFailure?
        var isSealed: Bool
        /// Whether a snapshot is being written, and who waits for the end of one.
        var isCompacting = false
        var compactionWaiters: [CheckedContinuation<CompactionEnd, Never>] = []
        /// When frames have to be synced that are written; nil if there are none, or no time is set.
        var syncDue: Int64?
        /// Whether the thread sleeps and has nothing to do: whoever takes that back also wakes it.
        var isParked = false
        /// When it looks again though nobody wakes it.
        var alarm: Int64?
        /// Whether a caller writes in the place of the thread, which has to wait for it.
        var isLed = false
        /// Why a caller could not write: the thread ends the store for it.
        var leadFailure: StoreFailure?
        /// Whether a caller has found something to do that is the thread's.
        var isMaintenanceDue = false
        /// The table's time at the end, once the store is closed.
        var sealTime: Timestamp?
        /// Whether the thread has let go of the files.
        var isEnded = false
        var failure: StoreFailure?
        var finishers: [CheckedContinuation<Void, Never>] = []
    }

    /// What the journal asks of the table, and what it tells.
    struct Hooks: Sendable {
        /// A piece of the table for a snapshot, of about so many bytes; the last argument gives the last frame that was
        /// appended, which does not change while the table is looked at.
        let page: @Sendable (SnapshotCursor, Int, () -> UInt64) -> SnapshotPage
        /// How many bytes a snapshot would take.
        let liveBytes: @Sendable () -> Int
        /// Called on the journal's thread, outside all locks.
        let onEvent: @Sendable (FileStoreEvent) -> Void
        /// Called when the journal has let go of the files.
        let onEnd: @Sendable () -> Void
    }

    let durability: FileDurability
    let committer: FileCommitter
    let layout: FileStoreLayout
    let time: TimeSource
    let hooks: Hooks
    let state: Locked<State>
    /// Used by the journal's thread, by the caller that leads, or by whoever calls ``step()`` in the place of the thread,
    /// one at a time; so nobody ever waits for it.
    let writer: Locked<JournalWriter>
    let hasWork = Atomic<Bool>(false)
    let parker = Parker()

    /// The journal of files that a writer is ready to go on with.
    ///
    /// - Parameter opening: the first frame that is written, together with the first change.
    init(
        _ writer: consuming JournalWriter, opening: JournalEntry.Opening, isSealed: Bool, durability: FileDurability,
        committer: FileCommitter, time: TimeSource, hooks: Hooks
    ) {
        self.durability = durability
        self.committer = committer
        self.time = time
        self.hooks = hooks
        layout = writer.layout
        state = Locked(
            State(
                nextSequence: writer.written + 1, answered: writer.written,
                opening: .opened(opening), room: writer.file.room, isSealed: isSealed))
        self.writer = Locked(writer)
    }

    /// Starts the thread that writes.
    func start(of path: String) throws(StoreFailure) {
        guard startOwnThread({ self.run() }) else {
            throw StoreFailure(operation: "start of the writer", subject: path, code: 0)
        }
    }

    /// Throws if a write has failed: the journal takes no more, and what the table holds may not be durable.
    func check() throws(StoreError) {
        if let failure = state.withLock({ $0.failure }) { throw .unavailable(failure) }
    }

    /// The last frame that was appended; what is durable up to it covers everything in the table.
    var lastSequence: UInt64 { state.withLock { $0.nextSequence - 1 } }

    /// Runs `body` under the lock; it says whether there is something to do for the thread.
    func signal<Value: Sendable>(_ body: (inout State) -> (Value, mustWake: Bool)) -> Value {
        let (value, wakes) = state.withLock { state -> (Value, Bool) in
            let (value, mustWake) = body(&state)
            defer { if mustWake { state.isParked = false } }
            return (value, mustWake && state.isParked)
        }
        hasWork.store(true, ordering: .releasing)
        if wakes { parker.wake() }
        return value
    }

    // MARK: Commits

    /// Whether there is room for frames of so many bytes.
    enum Admission {
        case granted
        /// The file has to be filled first: ``waitForRoom()``.
        case waits
        /// The disk is full.
        case full(StoreFailure)
        /// A write has failed: the journal takes no more, and what the table holds may not be durable.
        case failed(StoreFailure)
    }

    /// Asks for room for frames of at most so many bytes. What was granted has to be appended before the next is asked.
    ///
    /// - Parameter isGrowth: Whether they make the store larger; these leave the reserve untouched.
    func admit(_ bytes: Int, isGrowth: Bool) -> Admission {
        // Room for the frames that the journal adds by itself.
        let needed = bytes + (isGrowth ? layout.reserve : 0) + Self.ownFrames
        func answer(_ state: borrowing State) -> Admission? {
            if let failure = state.failure { return .failed(failure) }
            return state.room >= needed ? .granted : nil
        }
        if let answer = state.withLock({ answer($0) }) { return answer }
        return signal { state in
            if let answer = answer(state) { return (answer, false) }
            state.wantedRoom = max(state.wantedRoom, needed)
            return (state.full.map { .full($0) } ?? .waits, true)
        }
    }

    /// How much room the frames take at most that a journal adds by itself, of an opening and of its end.
    static let ownFrames = 512

    /// Suspends until the file has been filled further, or cannot be.
    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state -> Bool in
                guard state.wantedRoom > 0, state.failure == nil, !state.isEnded else { return true }
                state.roomWaiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// Appends an entry that has its room, and returns its sequence number. It is durable once
    /// ``failure(upTo:isLikely:leads:)`` has returned `nil`; whoever does not ask for that calls ``handOver()``.
    ///
    /// - Parameter weight: How many records it changes.
    func append(_ entry: JournalEntry, weight: Int) -> UInt64 {
        signal { state in (Self.append(entry, weight, to: &state), committer == .ownThread) }
    }

    /// Leaves what is pending to the thread.
    func handOver() { signal { state in ((), !state.pending.isEmpty) } }

    static func append(_ entry: JournalEntry, _ weight: Int, to state: inout State) -> UInt64 {
        if let opening = state.opening {
            state.opening = nil
            _ = append(opening, 1, to: &state)
            // Frames that are lost behind it are counted from it.
            state.pending.mustSync = true
        }
        let before = state.pending.frameBytes
        state.pending.append(entry, weight: weight)
        state.room -= state.pending.frameBytes - before
        state.isSealed = false
        defer { state.nextSequence += 1 }
        return state.nextSequence
    }

    /// Sees to it, or suspends until everything up to a sequence number is as durable as the store declares; returns why
    /// it will not be if a write failed.
    ///
    /// It ignores cancellation: what was appended will be written.
    ///
    /// - Parameters:
    ///   - isLikely: Whether it probably is already, as what a read depends on.
    ///   - leads: Whether the caller writes where callers do.
    func failure(upTo sequence: UInt64, isLikely: Bool, leads: Bool) async -> StoreFailure? {
        if isLikely, case .known(let failure) = state.withLock({ Self.fate(of: sequence, in: $0) }) { return failure }
        if committer == .caller {
            if leads { if lead(upTo: sequence) { return nil } } else { handOver() }
        }
        return unsafe await withUnsafeContinuation { continuation in
            let fate = state.withLock { state -> Fate in
                let fate = Self.fate(of: sequence, in: state)
                if case .open = fate {
                    unsafe state.waiters.append(Waiter(sequence: sequence, continuation: continuation))
                }
                return fate
            }
            if case .known(let failure) = fate { unsafe continuation.resume(returning: failure) }
        }
    }

    /// What has become of a frame.
    private enum Fate {
        /// It is durable, or a failure has come before it was.
        case known(StoreFailure?)
        /// It is still to be written.
        case open
    }

    private static func fate(of sequence: UInt64, in state: State) -> Fate {
        if state.answered >= sequence { return .known(nil) }
        return state.failure.map { .known($0) } ?? .open
    }

    // MARK: Snapshots and the end

    /// What has become of a snapshot.
    enum CompactionEnd {
        /// It has taken the place of what was before it.
        case done
        /// The store was closed first.
        case closed
        case failed(StoreFailure)
    }

    /// Has a snapshot written, or waits for the one that is being written.
    func compact() async -> CompactionEnd {
        await withCheckedContinuation { continuation in
            let end = signal { state -> (CompactionEnd?, Bool) in
                if let failure = state.failure { return (.failed(failure), false) }
                if state.sealTime != nil { return (.closed, false) }
                state.compactionWaiters.append(continuation)
                return (nil, true)
            }
            if let end { continuation.resume(returning: end) }
        }
    }

    /// Lets the thread write what was appended, seal the journal and end; does not wait for it.
    func startFinishing(at time: Timestamp) {
        signal { state in
            guard state.sealTime == nil else { return ((), false) }
            state.sealTime = time
            return ((), true)
        }
    }

    /// Waits until the thread has let go of the files; the failure if one ended it.
    func finish(at time: Timestamp) async -> StoreFailure? {
        startFinishing(at: time)
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
