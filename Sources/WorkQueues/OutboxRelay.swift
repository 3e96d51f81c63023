// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Publishes the messages of an outbox: a queue that was filled in the same commits as the records that they tell of.
///
/// ```swift
/// let outbox = WorkQueue("order-events", store: store, parksOrderKeys: true)
///
/// // The order and its message are in together, or neither is.
/// let paid = NewWorkItem(id: "paid-\(order.id)", payload: bytes, orderKey: order.customer)
/// _ = try await store.commit([change(of: order)] + outbox.changes(for: paid))
///
/// let relay = OutboxRelay(outbox) { message in
///     try await broker.publish(message.payload, id: message.id)
/// }
/// try await relay.run()
/// ```
///
/// **At least once, by the same name.** A message is removed once the closure has returned, which is to be when the
/// broker has confirmed it. After a crash between the two it is published again under the same ``WorkItem/id``: whoever
/// consumes it recognises it by that, for example with an inbox.
///
/// **Order.** Messages of one order key are published one after the other. One that fails waits, in the store, and with
/// it its key and nothing else; at its last failure it goes to the dead letters, and where the queue parks order keys,
/// the later ones of its key follow it there in their order.
///
/// **Any number of relays** may run: each message is in one hand at a time, and when it is tried again stands in its
/// record, so more relays do not try it more often.
///
/// **Behind.** After an outage the backlog goes out at a pace that consumers can bear (``CatchUp``). How far the outbox
/// is behind says ``WorkQueue/statistics()``, which asks the store and works without any relay.
public final class OutboxRelay: Sendable {
    private let consumer: Consumer<WorkItem>

    /// A relay of an outbox.
    ///
    /// - Parameters:
    ///   - outbox: The queue that the messages are put into.
    ///   - concurrency: How many messages are published side by side; at least 1, 10 by default.
    ///   - lease: How long a message is held after the last sign of life of its relay.
    ///   - catchUp: How fast the relay goes while it is behind; `nil` for as fast as it can.
    ///   - pausedFor: Asked before messages are received; see ``Consumer``.
    ///   - publish: Publishes a message, and returns once that is confirmed.
    public init(
        _ outbox: WorkQueue, concurrency: Int = 10, lease: Duration = .seconds(30), catchUp: CatchUp? = CatchUp(),
        pausedFor: (@Sendable () -> Duration?)? = nil, publish: @escaping @Sendable (WorkItem) async throws -> Void
    ) {
        consumer = Consumer(
            outbox, decode: { $0 }, concurrency: concurrency, lease: lease, catchUp: catchUp, pausedFor: pausedFor,
            handler: { message, _ in try await publish(message) })
    }

    /// Publishes messages until ``shutDown()`` or the task's cancellation; throws as ``Consumer/run()`` does.
    public func run() async throws { try await consumer.run() }

    /// Has the relay take nothing more; ``run()`` returns when what is being published has been.
    public func shutDown() { consumer.shutDown() }
}
