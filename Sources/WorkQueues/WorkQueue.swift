// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

public import Retrying

/// A queue of work on any store of records: every item is handed to one handler at a time until one says that it is done,
/// or it has failed so often that it is set aside among the dead letters.
///
/// ```swift
/// let mails = WorkQueue("mails", store: store)
/// try await mails.enqueue(NewWorkItem(id: "welcome-\(user.id)", payload: bytes))
///
/// for delivery in try await mails.receive(limit: 10, waitUpTo: .seconds(60)) {
///     do {
///         try await send(delivery.item.payload)
///         try await delivery.complete()
///     } catch {
///         try await delivery.retry(after: error)
///     }
/// }
/// ```
///
/// Most services want a ``Consumer`` around this, which receives, runs handlers side by side, renews leases and settles.
///
/// **At least once.** An item is handed out again after its handler failed, after its process died and after its lease
/// passed: a handler must be safe to repeat. Its settlement is fenced: one that comes after somebody else has been given
/// the item changes nothing and throws ``DeliveryLost``.
///
/// **Two counters.** Failures and crashes are counted apart, since a crash says nothing of the item that was beside it,
/// and both are bounded, so that neither goes round for ever. An item counts as started once that is durable, before the
/// handler sees it: a delivery whose handler ended without a word is a crash, and nothing else is.
///
/// **Order.** Items of the same order key are handed out one at a time in the order of their commits: one that fails and
/// waits blocks its key, and nothing else. What happens when it is given up is `parksOrderKeys`: by default the next one
/// of the key runs. Where the order is worth more than the rest of the key, the key is parked: every later item of it
/// follows to the dead letters, in order, until the first is redriven or evicted, and then they come back behind it.
///
/// The queue is a value without state of its own: every copy, in every process, that has the same name on the same store
/// is the same queue.
public struct WorkQueue: Sendable {
    /// The bytes of UTF-8 that a queue's name may have.
    public static let allowedName = 1...48
    /// The most bytes that an item's payload can be allowed to have. What its record takes beyond that is kept free for
    /// what is written down about it.
    public static let maximumPayload = RecordDeadLetterQueue.maximumPayload

    /// The queue's name.
    public let name: String
    /// Where items go that are given up.
    public let deadLetters: RecordDeadLetterQueue
    let store: any RecordStore
    let limits: HeldItem.Limits
    let backoff: Backoff
    let payloadLimit: Int
    let depthLimit: Int?
    let parksOrderKeys: Bool
    let longestHold: Duration
    let time: TimeSource
    let randomness: RandomSource
    private let onEvent: (@Sendable (WorkQueueEvent) -> Void)?

    /// The queue of that name on a store.
    ///
    /// - Parameters:
    ///   - name: 1 to 48 bytes; its dead letters have the same name.
    ///   - store: Where items and dead letters are kept.
    ///   - maximumFailures: At which failure an item goes to the dead letters; at least 1.
    ///   - maximumCrashes: At which crash it does; at least 1.
    ///   - backoff: How long an item waits after a failure, by the number of its failures. By default 1 s, doubled each
    ///     time up to 5 minutes, of which jitter takes up to all.
    ///   - parksOrderKeys: Whether later items of an order key follow one that has gone to the dead letters. The same in
    ///     every process that receives.
    ///   - maximumPayload: Bytes of a payload that are taken; by default 256 KiB, and ``maximumPayload`` at most.
    ///   - maximumDepth: How many items the queue takes, held and waiting ones; by default as many as the store. Callers
    ///     that put items at the same time may exceed it by as many as they are.
    ///   - longestHold: For how long in all one delivery can be extended, after which a consumer cancels its handler; by
    ///     default 12 hours.
    ///   - clock: Measures how long a delivery is held. Due times and leases go by the store's time.
    ///   - randomness: Where the jitter comes from.
    ///   - onEvent: Told what happened, after it is durable.
    public init(
        _ name: String, store: any RecordStore, maximumFailures: Int = 5, maximumCrashes: Int = 3,
        backoff: Backoff = .exponential(initial: .seconds(1), maximum: .seconds(300)), parksOrderKeys: Bool = false,
        maximumPayload: Int = 262_144, maximumDepth: Int? = nil, longestHold: Duration = .seconds(12 * 3_600),
        clock: any Clock<Duration> = ContinuousClock(), randomness: RandomSource = .system,
        onEvent: (@Sendable (WorkQueueEvent) -> Void)? = nil
    ) {
        precondition(Self.allowedName.contains(name.utf8.count), "A queue's name is 1 to 48 bytes, not \"\(name)\"")
        precondition(maximumFailures >= 1, "An item fails at least once before it is given up, not \(maximumFailures)")
        precondition(maximumCrashes >= 1, "An item crashes at least once before it is given up, not \(maximumCrashes)")
        precondition(
            (0...Self.maximumPayload).contains(maximumPayload),
            "A payload has at most \(Self.maximumPayload) bytes, not \(maximumPayload)")
        precondition(maximumDepth ?? 1 >= 1, "A queue takes at least 1 item, not \(maximumDepth ?? 1)")
        precondition(longestHold > .zero, "A delivery is held for some time, not \(longestHold)")
        self.name = name
        self.store = store
        self.backoff = backoff
        self.parksOrderKeys = parksOrderKeys
        self.longestHold = longestHold
        self.randomness = randomness
        self.onEvent = onEvent
        deadLetters = RecordDeadLetterQueue(name, store: store)
        limits = HeldItem.Limits(failures: maximumFailures, crashes: maximumCrashes)
        payloadLimit = maximumPayload
        depthLimit = maximumDepth
        time = TimeSource(clock)
    }

    /// The collection that holds the items.
    public var collection: String { "queue/\(name)" }

    func id(_ item: String) -> RecordID { RecordID(collection, item) }

    /// The mark that outlasts an item, so that another of its name is known as a duplicate.
    private func markID(_ item: String) -> RecordID { RecordID("queue-seen/\(name)", item) }

    func report(_ item: String, _ kind: WorkQueueEvent.Kind) {
        onEvent?(WorkQueueEvent(queue: name, id: item, kind: kind))
    }

    // MARK: Putting items

    /// Puts an item into the queue; durable when it returns.
    ///
    /// A queue that is full refuses the item at once. To wait for room instead, put it through a `Retry`:
    /// ``WorkQueueFull`` is a `Rejection`, so that one tries again until its attempts or its time are used up.
    ///
    /// - Throws: `StoreError.refused` if a part exceeds its limit; ``WorkQueueFull``; else `StoreError`. Putting the same
    ///   item again is always safe, also after `outcomeUnknown`.
    @discardableResult
    public func enqueue(_ item: NewWorkItem) async throws -> Enqueued {
        // One item in, one outcome out.
        try await enqueue([item])[0]
    }

    /// Puts items into the queue in one commit: all that are no duplicates, or none. Duplicates need no room in it.
    ///
    /// - Parameter items: Each of another name; at most 333, or as many as the queue takes, and 16 MiB in all.
    /// - Returns: What became of each, in their order.
    /// - Throws: As ``enqueue(_:)-(NewWorkItem)``.
    @discardableResult
    public func enqueue(_ items: [NewWorkItem]) async throws -> [Enqueued] {
        guard !items.isEmpty else { return [] }
        try RecordLimits.check("items", items.count, 1...min(Self.maximumBatch, depthLimit ?? .max))
        try RecordLimits.checkDistinct("names of items", items.map { id($0.id) })
        let changes = try items.map { item throws(StoreError) in try self.changes(for: item) }
        var outcomes = [Enqueued](repeating: .enqueued, count: items.count)
        if let depthLimit, case let depth = try await statistics().depth, depth + items.count > depthLimit {
            for index in try await duplicates(of: items) { outcomes[index] = .duplicate }
            let new = outcomes.count { $0 == .enqueued }
            guard new == 0 || depth + new <= depthLimit else {
                throw WorkQueueFull(queue: name, depth: depth, limit: depthLimit)
            }
        }
        while case let new = outcomes.indices.filter({ outcomes[$0] == .enqueued }), !new.isEmpty {
            guard let taken = try await insert(new.map { changes[$0] }, of: new.map { items[$0] }) else { break }
            outcomes[new[taken]] = .duplicate
            // Where one is, more may be, and each would take another commit to be found.
            if new.count > 1 {
                for index in try await duplicates(of: new.map { items[$0] }) { outcomes[new[index]] = .duplicate }
            }
        }
        for (item, outcome) in zip(items, outcomes) {
            report(item.id, outcome == .enqueued ? .enqueued : .duplicate)
        }
        return outcomes
    }

    /// How many items one commit can put: each takes three changes.
    private static let maximumBatch = RecordLimits.changes.upperBound / 3

    /// The indices of the items that would be duplicates now.
    private func duplicates(of items: [NewWorkItem]) async throws(StoreError) -> [Int] {
        let names = items.flatMap { [id($0.id), deadLetters.id($0.id), markID($0.id)] }
        let standing = try await store.read(names).records
        return items.indices.filter { index in (0..<3).contains { standing[3 * index + $0] != nil } }
    }

    /// The changes that put an item, for a commit of your own: the item is in together with your records, or neither is.
    ///
    /// They conflict if the item is a duplicate. No event is reported for them, and no depth is looked at.
    ///
    /// - Throws: `StoreError.refused` if a part exceeds its limit.
    public func changes(for item: NewWorkItem) throws(StoreError) -> [Change] {
        try NewWorkItem.check(item.id)
        try RecordLimits.check("payload", item.payload.count, 0...payloadLimit)
        let content = RecordContent(
            state: ItemState.ready.rawValue,
            body: ItemBody(payload: item.payload, timeToLive: item.timeToLive).encoded(), headers: item.headers,
            orderKey: item.orderKey, due: .after(item.delay))
        // A letter of that name would be in the way of this item, should it ever become one.
        let changes = [Change.insert(id(item.id), content), .assert(deadLetters.id(item.id), nil)]
        guard let window = item.deduplicationWindow else { return changes + [.assert(markID(item.id), nil)] }
        return changes + [.insert(markID(item.id), RecordContent(state: "seen", expires: .after(window)))]
    }

    /// Commits the changes of several items; `nil` if they are in, or the index of one that is a duplicate.
    private func insert(_ changes: [[Change]], of items: [NewWorkItem]) async throws(StoreError) -> Int? {
        do throws(StoreError) {
            switch try await store.commit(Array(changes.joined())) {
            case .committed: return nil
            case .conflict(let conflict): return conflict.index / 3
            }
        } catch {
            guard case .outcomeUnknown = error, let answer = try? await store.read(items.map { id($0.id) }) else {
                throw error
            }
            // Each has to stand: an item that was there before says nothing of the others. One that is done already
            // says nothing either.
            for (index, standing) in answer.records.enumerated() {
                guard let standing else { throw error }
                guard case .insert(_, let content, _) = changes[index][0], standing.body == content.body else {
                    return index
                }
            }
            return nil
        }
    }

    /// How many items there are, and since when; read from the store, so it works without any worker.
    public func statistics() async throws(StoreError) -> WorkQueueStatistics {
        let statistics = try await store.statistics(of: collection)
        func count(_ state: ItemState) -> Int { statistics.counts[state.rawValue] ?? 0 }
        return WorkQueueStatistics(
            ready: count(.ready), retrying: count(.retrying), running: count(.running),
            lag: statistics.oldestDue.map { max(.zero, $0.duration(to: statistics.now)) } ?? .zero,
            oldestAge: statistics.oldestCreated.map { max(.zero, $0.duration(to: statistics.now)) })
    }
}

/// How many items a queue holds and since when.
public struct WorkQueueStatistics: Hashable, Sendable {
    /// Items that wait and have not failed since they were put or redriven; those that are not yet due included.
    public let ready: Int
    /// Items that wait after a failure.
    public let retrying: Int
    /// Items that were handed to a handler, which has not settled them; it may be gone.
    public let running: Int
    /// All items.
    public var depth: Int { ready + retrying + running }
    /// How long the item that has been due longest waits; zero if none is due.
    public let lag: Duration
    /// How long the oldest item has been in the queue; `nil` if there is none.
    public let oldestAge: Duration?

    /// Statistics from their parts.
    public init(ready: Int, retrying: Int, running: Int, lag: Duration, oldestAge: Duration?) {
        self.ready = ready
        self.retrying = retrying
        self.running = running
        self.lag = lag
        self.oldestAge = oldestAge
    }
}
