// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RateLimiting
internal import Retrying
internal import WorkQueues

/// Takes notifications, and sees to it that each is sent once.
struct NotificationService: Sendable {
    typealias Send = @Sendable (_ key: String, _ user: String, _ text: String) async -> ProviderAnswer

    private let queue: WorkQueue
    private let table: StatusTable
    /// For each user, so that nobody is told too much at once. It forgets with the process.
    private let limits: KeyedRateLimiter<String>
    private let providers: @Sendable (ProviderName) -> Send

    /// - Parameter onSettled: Told of each notification that is sent, or given up.
    init(
        store: any RecordStore, clock: any Clock<Duration> = ContinuousClock(),
        onSettled: @escaping @Sendable () -> Void = {}, providers: @escaping @Sendable (ProviderName) -> Send
    ) {
        self.providers = providers
        limits = KeyedRateLimiter(.perSecond(20, burst: 5), name: "user", clock: clock)
        table = StatusTable(store: store)
        queue = WorkQueue(
            // Whoever stops this example by force, again and again, is no fault of an item.
            "notifications", store: store, maximumFailures: 10, maximumCrashes: 100,
            backoff: .exponential(initial: .milliseconds(50), maximum: .seconds(2)), clock: clock,
            onEvent: { event in
                switch event.kind {
                case .completed, .deadLettered: onSettled()
                default: break
                }
            })
    }

    /// How many are not settled yet.
    var depth: Int {
        get async throws { try await queue.statistics().depth }
    }

    /// Takes a notification: its row and its item are one commit. One that was taken before is not taken again.
    func take(_ notification: Notification) async throws {
        // One user's notifications go out in their order, and when one has to wait for a permit the next ones do, too.
        let item = NewWorkItem(id: notification.id, payload: try notification.bytes, orderKey: notification.user)
        // A conflict is what says that it was taken before.
        _ = try await table.store.commit([StatusTable.insertion(of: notification)] + queue.changes(for: item))
    }

    /// What sends notifications until it is shut down.
    func consumer() -> Consumer<Notification> {
        Consumer(queue, decode: { try Notification($0.payload) }, concurrency: 16) { notification, context in
            try await send(notification, context)
        }
    }

    private func send(_ notification: Notification, _ context: ConsumerContext) async throws {
        var row = try await table.row(notification.id)
        let text: String
        do {
            text = try Template.text(for: notification)
        } catch {
            _ = try await table.commit(row.change(to: .unsendable, via: nil), of: row.id)
            throw error
        }
        // A rejection: the consumer gives the item back until there is a permit, and counts no failure.
        try await limits.acquire(notification.user)
        var provider = row.via ?? .first
        while true {
            let mayHaveSent = row.via == provider
            // On the disk before the request is made: whoever comes after a crash knows whom to ask.
            if !mayHaveSent { row = try await table.commit(row.change(to: .sending, via: provider), of: row.id) }
            let answer = await providers(provider)(notification.id, notification.user, text)
            switch Route.step(after: answer, of: provider, mayHaveSent: mayHaveSent) {
            case .done:
                return context.alsoCommit([row.change(to: .sent, via: provider)])
            case .fallBack: provider = .second
            case .tryAgain: throw NotSent(provider: provider, answer: answer)
            }
        }
    }
}
