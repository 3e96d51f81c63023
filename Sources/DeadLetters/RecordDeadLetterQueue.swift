// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A queue of dead letters on any store of records: what cannot be processed is set aside here with its whole history.
///
/// - ``put(_:)`` sets a letter aside, once for each name.
/// - ``change(for:)`` does the same as part of a commit of yours, so that taking an item from a queue and setting it
///   aside is one step.
/// - ``list(_:after:limit:)`` and ``read(_:)`` look without touching.
/// - ``redrive(_:lease:to:)`` hands one letter to a handler and removes it if the handler takes it; a ``Redrive`` brings
///   many back, at a rate that the rest of the world can bear.
/// - ``evict(_:because:)`` takes one out for good and keeps why.
///
/// ```swift
/// let dead = RecordDeadLetterQueue("orders", store: store)
/// try await dead.put(
///     NewDeadLetter(
///         id: message.id, reason: .undecodable, origin: DeadLetterOrigin(source: "orders", id: message.id),
///         payload: message.bytes))
/// ```
///
/// Letters never expire and are never deleted by the queue itself. The queue is a value without state of its own:
/// every copy, in every process, that has the same name on the same store is the same queue.
public struct RecordDeadLetterQueue: DeadLetterQueue {
    /// Bytes of payload that a letter can have. What the record takes beyond that is kept free for its history, so
    /// that a failed redrive can always be written down.
    public static let maximumPayload = RecordLimits.body.upperBound - 32 * 1_024

    /// The queue's name.
    public let name: String
    /// Where the letters are kept; closing it is the business of whoever made it.
    public let store: any RecordStore
    let onEvent: (@Sendable (DeadLetterEvent) -> Void)?

    /// The queue of that name on a store.
    ///
    /// - Parameters:
    ///   - name: 1 to 48 bytes; it is also the name under which events report.
    ///   - store: Where the letters are kept.
    ///   - onEvent: Told what happened, after it is durable.
    public init(_ name: String, store: any RecordStore, onEvent: (@Sendable (DeadLetterEvent) -> Void)? = nil) {
        precondition((1...48).contains(name.utf8.count), "A queue's name is 1 to 48 bytes, not \"\(name)\"")
        self.name = name
        self.store = store
        self.onEvent = onEvent
    }

    /// A queue that lives in this process, and goes with it.
    ///
    /// - Parameters:
    ///   - name: 1 to 48 bytes; it is also the name under which events report.
    ///   - clock: What the store's time goes by.
    ///   - onEvent: Told what happened.
    public static func inMemory(
        _ name: String, clock: any Clock<Duration> = ContinuousClock(),
        onEvent: (@Sendable (DeadLetterEvent) -> Void)? = nil
    ) -> RecordDeadLetterQueue {
        RecordDeadLetterQueue(name, store: InMemoryRecordStore(clock: clock), onEvent: onEvent)
    }

    /// A queue in files of its own, for a consumer that has no store of this package otherwise. Close its ``store`` at
    /// the end.
    ///
    /// - Parameters:
    ///   - name: 1 to 48 bytes; it is also the name under which events report.
    ///   - directory: Where the files are; it is made if it is not there. One process at a time can have it.
    ///   - durability: When what is written is synced; by default with every commit.
    ///   - clock: What the store's time goes by.
    ///   - onEvent: Told what happened, after it is durable.
    /// - Throws: `FileStoreError`, as opening a store does.
    public static func inFiles(
        _ name: String, directory: String, durability: FileDurability = .everyCommit,
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (DeadLetterEvent) -> Void)? = nil
    ) throws(FileStoreError) -> RecordDeadLetterQueue {
        let store = try FileRecordStore(directory: directory, durability: durability, clock: clock)
        return RecordDeadLetterQueue(name, store: store, onEvent: onEvent)
    }

    /// The collection that holds the letters.
    public var collection: String { "dead-letters/\(name)" }

    /// Sets a letter aside unless one of its name stands there; durable when it returns.
    ///
    /// - Throws: ``/RecordStores/StoreError``; `refused` if a part exceeds its limit. The caller still has what it
    ///   wanted to set aside: it keeps it and tries again later. Putting again is always safe, also after
    ///   `outcomeUnknown`.
    @discardableResult
    public func put(_ letter: NewDeadLetter) async throws(StoreError) -> DeadLetterPut {
        try await put(letter, DeadLetterBody(letter))
    }

    func put(_ letter: NewDeadLetter, _ body: DeadLetterBody) async throws(StoreError) -> DeadLetterPut {
        let put = try await insert(letter, body)
        switch put {
        case .put: report(letter.id, letter.reason, .put)
        case .alreadyThere: report(letter.id, letter.reason, .alreadyThere)
        }
        return put
    }

    private func insert(
        _ letter: NewDeadLetter, _ body: DeadLetterBody
    ) async throws(StoreError) -> DeadLetterPut {
        let change = Change.insert(id(letter.id), try content(of: body, letter))
        do throws(StoreError) {
            switch try await store.commit([change]) {
            case .committed: return .put
            case .conflict: return .alreadyThere
            }
        } catch {
            guard case .outcomeUnknown = error, let standing = try? await record(letter.id) else { throw error }
            return standing.body == body.encoded() ? .put : .alreadyThere
        }
    }

    /// The change that puts a letter, for a commit of your own; it conflicts if a letter of that name stands there.
    ///
    /// Taking an item from its queue and setting it aside thereby happen together or not at all, as long as both are
    /// on the same store. No event is reported for it.
    ///
    /// - Throws: `StoreError.refused` if the payload or the origin exceeds its limit.
    public func change(for letter: NewDeadLetter) throws(StoreError) -> Change {
        .insert(id(letter.id), try content(of: DeadLetterBody(letter), letter))
    }

    /// The change that makes a letter of a record of the same store, which keeps its position; it conflicts if a letter
    /// of that name stands there.
    ///
    /// - Parameters:
    ///   - now: The store's time, for the letter.
    ///   - redrives: How often it has been a letter before.
    ///   - deliveries: How often it was given to a handler.
    ///   - keepsOrder: Whether only the first letter of its order key can be redriven or evicted.
    package func change(
        moving record: Record, as letter: NewDeadLetter, at now: Timestamp, redrives: Int, deliveries: Int,
        keepsOrder: Bool
    ) throws(StoreError) -> Change {
        let arrival = DeadLetterBody.Arrival(
            time: now, claims: record.claims, redrives: redrives, deliveries: deliveries)
        var content = try content(of: DeadLetterBody(letter, arrival: arrival), letter)
        if keepsOrder { content.orderKey = record.orderKey }
        return .move(record.id, to: id(letter.id), expecting: record.fence, with: content, lease: .end)
    }

    private func content(of body: DeadLetterBody, _ letter: NewDeadLetter) throws(StoreError) -> RecordContent {
        try RecordLimits.check("payload", letter.payload.count, 0...Self.maximumPayload)
        try RecordLimits.check("origin's source", letter.origin.source.utf8.count, 0...255)
        try RecordLimits.check("origin's id", letter.origin.id.utf8.count, 0...1_024)
        try RecordLimits.check("origin's order key", letter.origin.orderKey?.utf8.count ?? 0, 0...255)
        return RecordContent(state: letter.reason.code, body: body.encoded(), headers: letter.headers)
    }

    package func id(_ letter: String) -> RecordID { RecordID(collection, letter) }

    func record(_ letter: String) async throws(StoreError) -> Record? {
        try await store.read([id(letter)]).records.first ?? nil
    }

    package func report(_ letter: String, _ reason: DeadLetterReason, _ kind: DeadLetterEvent.Kind) {
        onEvent?(DeadLetterEvent(queue: name, id: letter, reason: reason.code, kind: kind))
    }
}
