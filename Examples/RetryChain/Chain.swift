// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityTesting
internal import Retrying
internal import Synchronization
internal import WorkQueues

/// Four orders for a supplier that has a bad day: what becomes of each, minute by minute.
final class Chain: Sendable {
    private let clock: ManualClock
    private let tell: @Sendable (String) -> Void
    private let supplier = Supplier()

    /// - Parameter tell: Given one line after the other.
    init(clock: ManualClock, tell: @escaping @Sendable (String) -> Void) {
        self.clock = clock
        self.tell = tell
    }

    func run() async throws {
        let store = InMemoryRecordStore(clock: clock)
        let orders = WorkQueue(
            "orders", store: store, backoff: .listed([.seconds(1), .seconds(5), .seconds(30)]), clock: clock,
            onEvent: { self.note($0) })
        let consumer = Consumer(orders, decode: { try Order($0.payload) }, concurrency: 4) { order, _ in
            try self.supplier.deliver(order)
        }

        async let handling: Void = consumer.run()
        for (id, title) in [("order-1", "Emma"), ("order-2", "Ulysses"), ("order-3", "Moby-Dick")] {
            try await orders.enqueue(NewWorkItem(id: id, payload: Array(title.utf8)))
        }
        try await orders.enqueue(NewWorkItem(id: "order-4", payload: [0xFF, 0xFE]))
        try await clock.sleep(for: .seconds(60))

        say("the dead letters")
        for letter in try await orders.deadLetters.list().letters { show(letter) }

        say("the cause is mended; one letter is of no use to anybody, and the other goes back")
        supplier.mend()
        try await orders.evict("order-4", because: "the shop has sent it again")
        let redrive = Redrive(orders.deadLetters, to: .queue(orders), clock: clock)
        let exhausted = DeadLetterFilter(reason: DeadLetterReason.attemptsExhausted.code)
        say("a dry run finds \(try await redrive.dryRun(exhausted).values.reduce(0, +))")
        try await redrive.start(RedrivePlan(filter: exhausted, rate: .perSecond(10)))
        let progress = try await redrive.run()
        say("redriven: \(progress?.redriven ?? 0)")
        try await clock.sleep(for: .seconds(1))

        consumer.shutDown()
        try await handling
        let letters = try await orders.deadLetters.statistics().depth
        let evicted = try await orders.deadLetters.evicted().letters.count
        say("in the queue: \(try await orders.statistics().depth), dead letters: \(letters), evicted: \(evicted)")
    }

    private func show(_ letter: DeadLetter) {
        tell("            \(letter.id)  \(letter.reason), \(letter.payload.count) bytes")
        for failure in letter.failures.kept {
            let age = letter.enqueuedAt?.duration(to: failure.time) ?? .zero
            tell("              after \(Self.seconds(age)): \(failure.message)")
        }
    }

    private func note(_ event: WorkQueueEvent) {
        switch event.kind {
        case .delivered(let number): say("\(event.id)  attempt \(number)")
        case .completed: say("\(event.id)  done")
        case .failed(let error, let delay): say("\(event.id)  \(error); again in \(Self.seconds(delay))")
        case .deadLettered(let reason): say("\(event.id)  to the dead letters: \(reason)")
        case .enqueued, .duplicate, .crashed, .released, .lost, .renewalFailed, .heldTooLong, .receiveFailed,
            .settlementFailed, .unreadable:
            break
        }
    }

    private func say(_ text: String) {
        let time = Self.seconds(clock.now.offset)
        tell(String(repeating: " ", count: max(0, 8 - time.count)) + time + "    " + text)
    }

    private static func seconds(_ duration: Duration) -> String {
        let milliseconds = duration / .milliseconds(1)
        return "\(Int(milliseconds) / 1_000).\(Int(milliseconds) % 1_000 / 100) s"
    }
}

/// What a customer wants.
struct Order: Sendable {
    let title: String

    /// - Throws: ``NotText`` if the bytes are no UTF-8.
    init(_ bytes: [UInt8]) throws(NotText) {
        guard let title = String(validating: bytes, as: UTF8.self) else { throw NotText() }
        self.title = title
    }

    struct NotText: Error, CustomStringConvertible {
        let description = "not UTF-8"
    }
}

/// The neighbour that has a bad day: it takes one title at once, one at the third attempt, and one not at all.
final class Supplier: Sendable {
    private struct State {
        var isMended = false
        var attempts: [String: Int] = [:]
    }

    struct Unreachable: Error, CustomStringConvertible {
        let description = "the supplier does not answer"
    }

    private let state = Mutex(State())

    func mend() { state.withLock { $0.isMended = true } }

    func deliver(_ order: Order) throws(Unreachable) {
        let isTaken = state.withLock { state in
            state.attempts[order.title, default: 0] += 1
            return switch order.title {
            case "Moby-Dick": state.isMended
            case "Ulysses": state.attempts["Ulysses", default: 0] >= 3
            default: true
            }
        }
        guard isTaken else { throw Unreachable() }
    }
}
