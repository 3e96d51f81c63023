// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Brings many letters of a queue back, oldest first, at a rate that the rest of the world can bear; one at a time for
/// each queue.
///
/// What it is to do and how far it has come is kept in the store: it survives crashes, any process that has the queue can
/// run it, and every value of the same queue is the same redrive; only one of the same destination can run it.
///
/// ```swift
/// let redrive = Redrive(mails.deadLetters, to: .queue(mails))
/// try await redrive.start(RedrivePlan(filter: DeadLetterFilter(reason: "attemptsExhausted"), rate: .perSecond(500)))
/// let progress = try await redrive.run()
/// ```
///
/// Bringing a letter back to a queue of the same store is one commit with the progress: none is lost, none is brought
/// back twice, and the counts are exact, whenever the process ends. A letter keeps its name and its position.
///
/// The rate is kept in the store with the progress, so neither a crash nor a pause lets a burst through.
public struct Redrive: Sendable {
    let letters: RecordDeadLetterQueue
    let destination: RedriveDestination
    let lease: Duration
    let time: TimeSource
    var store: any RecordStore { letters.store }

    /// The redrive of a queue.
    ///
    /// - Parameters:
    ///   - letters: The queue.
    ///   - destination: Where the letters go.
    ///   - lease: After which silence another process may go on with what one has begun; by default 30 s. A handler
    ///     should take less than that for a letter, or another process may hand it out again meanwhile.
    ///   - clock: Measures the pauses between letters.
    public init(
        _ letters: RecordDeadLetterQueue, to destination: RedriveDestination, lease: Duration = .seconds(30),
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        precondition(lease > .zero, "A redrive is held for some time, not \(lease)")
        self.letters = letters
        self.destination = destination
        self.lease = lease
        time = TimeSource(clock)
    }

    private var collection: String { "redrives/\(letters.name)" }
    var taskID: RecordID { RecordID(collection, "task") }
    /// What was asked of the redrive last; whoever changes the task's record names its fence, so no wish is overlooked.
    var wishID: RecordID { RecordID(collection, "wish") }

    /// What a redrive is wished to do.
    enum Wish: String {
        case run
        case pause
        case cancel

        /// What the redrive is when the wish is fulfilled.
        var state: RedriveProgress.State {
            switch self {
            case .run: .running
            case .pause: .paused
            case .cancel: .cancelled
            }
        }
    }

    /// How many letters a filter lets through, by reason; brings none back.
    public func dryRun(_ filter: DeadLetterFilter = .all) async throws(StoreError) -> [String: Int] {
        var counts: [String: Int] = [:]
        var position: UInt64?
        repeat {
            let page = try await store.scan(letters.collection, state: filter.reason, after: position, limit: 1_000)
            // One after the other, since each is a copy of its bytes.
            for record in page.records {
                guard let letter = try? DeadLetter(record), filter.matches(letter) else { continue }
                counts[letter.reason.code, default: 0] += 1
            }
            position = page.next
        } while position != nil
        return counts
    }

    /// Starts a redrive, which goes on wherever ``run()`` is called.
    ///
    /// - Throws: ``RedriveActive`` if one is under way or paused; `StoreError`, and after `outcomeUnknown` it may be
    ///   under way; ``RedriveUnreadable``.
    @discardableResult
    public func start(_ plan: RedrivePlan) async throws -> RedriveProgress {
        while true {
            let standing = try await store.read([taskID, wishID])
            if let task = standing.records[0] {
                let progress = try read(task)
                guard progress.state == .done || progress.state == .cancelled else {
                    throw RedriveActive(queue: letters.name, progress: progress)
                }
            }
            let progress = RedriveProgress(plan, destination: destination.name, at: standing.now)
            let changes = [
                change(of: taskID, standing.records[0], content(progress, notBefore: .after(.zero))),
                change(of: wishID, standing.records[1], RecordContent(state: Wish.run.rawValue)),
            ]
            do throws(StoreError) {
                if case .committed = try await store.commit(changes) { return progress }
            } catch {
                guard case .outcomeUnknown = error, let task = try? await store.read([taskID]).records[0],
                    task.fence != standing.records[0]?.fence, task.body == progress.encoded()
                else { throw error }
                return progress
            }
        }
    }

    private func change(of id: RecordID, _ standing: Record?, _ content: RecordContent) -> Change {
        guard let standing else { return .insert(id, content) }
        return .replace(id, expecting: standing.fence, with: content, lease: .end)
    }

    /// How far the redrive has come, the last one if none is under way; `nil` if there was none.
    ///
    /// - Throws: `StoreError`; ``RedriveUnreadable``.
    public func progress() async throws -> RedriveProgress? {
        try await store.read([taskID]).records[0].map { try read($0) }
    }

    /// Has the redrive stand still after the letters that are just being brought back, until ``resume()``.
    ///
    /// - Returns: What stands afterwards; a redrive that somebody runs at that moment follows within a batch. `nil` if
    ///   there is none.
    /// - Throws: `StoreError`, after which it can be repeated; ``RedriveUnreadable``.
    @discardableResult
    public func pause() async throws -> RedriveProgress? { try await wish(.pause) }

    /// Lets a paused redrive go on; call ``run()`` for it. Takes back a ``pause()`` that nobody has followed yet.
    ///
    /// Returns and throws as ``pause()`` does.
    @discardableResult
    public func resume() async throws -> RedriveProgress? { try await wish(.run) }

    /// Ends the redrive; the letters that it has not brought back stay. Nothing takes it back.
    ///
    /// Returns and throws as ``pause()`` does.
    @discardableResult
    public func cancel() async throws -> RedriveProgress? { try await wish(.cancel) }

    /// Leaves a wish, and fulfils it at once where nobody runs the redrive.
    private func wish(_ wish: Wish) async throws -> RedriveProgress? {
        while true {
            let standing = try await store.read([taskID, wishID])
            guard let task = standing.records[0], let last = standing.records[1] else { return nil }
            var progress = try read(task)
            // What has ended, or is to, stays so.
            guard progress.state == .running || progress.state == .paused,
                wish == .cancel || last.state != Wish.cancel.rawValue
            else { return progress }
            var changes = [
                Change.replace(
                    wishID, expecting: last.fence, with: RecordContent(state: wish.rawValue), lease: .end)
            ]
            if task.isHeld(at: standing.now) {
                changes.append(.assert(taskID, task.fence))
            } else {
                progress.state = wish.state
                changes.append(.replace(taskID, expecting: task.fence, with: content(progress), lease: .end))
            }
            if case .committed = try await store.commit(changes) { return progress }
        }
    }

    /// What the task's record holds; it is due when the next letters may go, which only the commit itself can say.
    func content(_ progress: RedriveProgress, notBefore: RecordContent.When = .unchanged) -> RecordContent {
        RecordContent(state: progress.state.rawValue, body: progress.encoded(), due: notBefore)
    }

    func read(_ task: Record) throws(RedriveUnreadable) -> RedriveProgress {
        do throws(MalformedBytes) {
            return try RedriveProgress(task)
        } catch {
            throw RedriveUnreadable(queue: letters.name, offset: error.offset)
        }
    }
}

/// A redrive of the queue is under way or paused, to this destination or another, and there is one at a time.
public struct RedriveActive: Error, Hashable, CustomStringConvertible {
    /// The queue's name.
    public let queue: String
    /// How far it has come.
    public let progress: RedriveProgress
    /// What happened, for people.
    public var description: String { "a redrive of \(queue) to \(progress.destination) is \(progress.state.rawValue)" }
}

/// Another process runs the redrive.
public struct RedriveHeld: RetryAdvising, Hashable, CustomStringConvertible {
    /// The queue's name.
    public let queue: String
    /// The rest of its lease: it goes on or by then anybody may.
    public let retryAfter: Duration?
    /// What happened, for people.
    public var description: String { "another process runs the redrive of \(queue)" }
}

/// What is kept of a redrive cannot be read: damaged, or written by a newer version.
public struct RedriveUnreadable: Error, Hashable, CustomStringConvertible {
    /// The queue's name.
    public let queue: String
    /// At which byte the reading stopped.
    public let offset: Int
    /// What happened, for people.
    public var description: String { "the redrive of \(queue) cannot be read from byte \(offset) on" }
}
