// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Takes items from a queue for as long as it runs, and has a handler see to each, several side by side.
///
/// ```swift
/// let consumer = Consumer(mails, concurrency: 16) { item in
///     try await send(try Mail(item.payload))
/// }
/// try await consumer.run()
/// ```
///
/// | the handler | the item |
/// |---|---|
/// | returns | is done and removed |
/// | returns a ``ConsumerVerdict`` | what that says |
/// | throws | fails: due again after the queue's back-off, or among the dead letters at its last failure |
/// | throws a `Permanent` error | goes to the dead letters at once |
/// | throws a `Rejection`, such as that of an open circuit | goes back with no failure counted, due after its `retryAfter` |
/// | throws while the consumer is cancelled | goes back at once, with no failure counted |
/// | is gone with its process, or outlives its lease | is due again, with a crash counted |
///
/// Its lease is renewed while the handler runs, for as long as the queue allows in all. If the store says that somebody
/// else was given the item, or it cannot be held any longer, the handler is cancelled, and nothing of it is settled. A
/// handler that computes for longer than a lease without suspending once keeps the renewal from beginning: give it a lease
/// that is longer than it ever takes.
///
/// **Ends.** ``shutDown()`` lets the handlers that run finish and takes nothing more; cancelling the task of ``run()``
/// cancels them. Either way `run()` returns when the last one has ended, and items that were received ahead go back.
public final class Consumer<Message: Sendable>: Sendable {
    let queue: WorkQueue
    let settings: ConsumerSettings
    let decode: @Sendable (WorkItem) throws -> Message
    let handler: @Sendable (Message, ConsumerContext) async throws -> ConsumerVerdict
    let stop = StopSignal()
    let isRunning = Atomic(false)

    /// A consumer of a queue.
    ///
    /// - Parameters:
    ///   - queue: Where the items come from; its limits say how often one may fail or crash.
    ///   - decode: Makes a message of an item's payload. An item for which it throws goes to the dead letters at its
    ///     first delivery, with its bytes as they came: no further attempt could read them.
    ///   - concurrency: How many handlers run side by side; at least 1, 10 by default.
    ///   - prefetch: How many items more than there are free handlers are received at once; none by default. One that is
    ///     received ahead counts as handed out only once a handler has it. Ahead of slow handlers it keeps items from
    ///     other consumers, at most for a lease.
    ///   - lease: How long an item is held after the last sign of life; by default 30 s. It is renewed at every third.
    ///   - catchUp: How fast items are received while the consumer is behind; by default as fast as handlers are free.
    ///   - pausedFor: Asked before items are received: as long as it gives a time, none are received and the handlers
    ///     that run go on; then it is asked again. Give it the remaining open time of the circuit breaker that the
    ///     handler goes through, so that an outage burns no attempts.
    ///   - handler: Sees to an item. It runs in a task of its own and is cancelled if the item is lost or the consumer is
    ///     cancelled.
    @_disfavoredOverload  // A trailing closure that returns nothing is a handler, and not a missing verdict.
    public init(
        _ queue: WorkQueue, decode: @escaping @Sendable (WorkItem) throws -> Message, concurrency: Int = 10,
        prefetch: Int = 0, lease: Duration = .seconds(30), catchUp: CatchUp? = nil,
        pausedFor: (@Sendable () -> Duration?)? = nil,
        deciding handler: @escaping @Sendable (Message, ConsumerContext) async throws -> ConsumerVerdict
    ) {
        precondition(concurrency >= 1, "A consumer runs at least 1 handler, not \(concurrency)")
        precondition(prefetch >= 0, "A consumer receives 0 or more items ahead, not \(prefetch)")
        precondition(lease > .zero, "An item is held for some time, not \(lease)")
        self.queue = queue
        self.decode = decode
        self.handler = handler
        settings = ConsumerSettings(
            concurrency: concurrency, prefetch: prefetch, lease: lease, catchUp: catchUp, pausedFor: pausedFor)
    }

    /// A consumer whose handler settles an item by returning or throwing.
    public convenience init(
        _ queue: WorkQueue, decode: @escaping @Sendable (WorkItem) throws -> Message, concurrency: Int = 10,
        prefetch: Int = 0, lease: Duration = .seconds(30), catchUp: CatchUp? = nil,
        pausedFor: (@Sendable () -> Duration?)? = nil,
        handler: @escaping @Sendable (Message, ConsumerContext) async throws -> Void
    ) {
        self.init(
            queue, decode: decode, concurrency: concurrency, prefetch: prefetch, lease: lease, catchUp: catchUp,
            pausedFor: pausedFor,
            deciding: { message, context in
                try await handler(message, context)
                return .complete
            })
    }

    /// Has the consumer take nothing more; ``run()`` returns when the handlers that run have ended. For good.
    public func shutDown() { stop.signal() }
}

extension Consumer where Message == WorkItem {
    /// A consumer whose handler is given the items themselves.
    public convenience init(
        _ queue: WorkQueue, concurrency: Int = 10, prefetch: Int = 0, lease: Duration = .seconds(30),
        catchUp: CatchUp? = nil, pausedFor: (@Sendable () -> Duration?)? = nil,
        handler: @escaping @Sendable (WorkItem) async throws -> Void
    ) {
        self.init(
            queue, decode: { $0 }, concurrency: concurrency, prefetch: prefetch, lease: lease, catchUp: catchUp,
            pausedFor: pausedFor,
            handler: { item, _ in try await handler(item) })
    }
}

struct ConsumerSettings: Sendable {
    let concurrency: Int
    let prefetch: Int
    let lease: Duration
    let catchUp: CatchUp?
    let pausedFor: (@Sendable () -> Duration?)?
}

/// What a handler says that an item needs.
///
/// Each but the first may bring changes of other records of the same store, which are in together with it, or not at all.
/// A conflict of one of them counts as a failure of the handler, and so do changes that the store does not take.
public enum ConsumerVerdict: Sendable {
    /// It is done, and removed, in one commit with what was given to ``ConsumerContext/alsoCommit(_:)``.
    case complete
    /// It failed with this error, as if it had been thrown; due again not before that time.
    case retry(after: any Error, delay: Duration = .zero, alsoCommit: [Change] = [])
    /// It goes back and is due again after that time; no failure is counted.
    case release(after: Duration = .zero, because: (any Error)? = nil, alsoCommit: [Change] = [])
    /// It goes to the dead letters, with the error if there is one.
    case deadLetter(DeadLetterReason, after: (any Error)? = nil, alsoCommit: [Change] = [])
}

/// What a handler can know and say beyond its message.
public struct ConsumerContext: Sendable {
    /// The item that the message came in.
    public let item: WorkItem
    /// A number that grows with every delivery of the item. Hand it to a service that refuses a smaller one than it has
    /// seen, and a handler that was given up cannot overwrite what its successor did.
    public let fence: Fence
    private let changes: Changes

    private final class Changes: Sendable {
        let all = Locked<[Change]>([])
    }

    init(_ delivery: Delivery) {
        item = delivery.item
        fence = delivery.fence
        changes = Changes()
    }

    /// Has changes of other records of the same store committed together with the item's completion: they are in with
    /// it, or not at all. If the item is not completed, they are dropped; another ``ConsumerVerdict`` brings its own.
    ///
    /// A conflict of one of them counts as a failure of the handler, and so do changes that the store does not take. If
    /// it has no room for them, the item goes back for a lease, with no failure counted.
    public func alsoCommit(_ changes: [Change]) { self.changes.all.withLock { $0 += changes } }

    var alongside: [Change] { changes.all.withLock { $0 } }
}
