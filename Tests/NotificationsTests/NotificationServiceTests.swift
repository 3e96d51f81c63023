// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Synchronization
import Testing
import WorkQueues

@testable import notifications
@testable import class retry_chain.VirtualTime

/// The service with providers that answer from a list, on virtual time.
@Suite struct NotificationServiceTests {
    private final class Provider: Sendable {
        private let state: Mutex<(answers: [ProviderAnswer], asked: [String])>

        init(_ answers: [ProviderAnswer] = []) { state = Mutex((answers.reversed(), [])) }

        /// The keys that it was asked for.
        var asked: [String] { state.withLock { $0.asked } }

        func answer(_ key: String) -> ProviderAnswer {
            state.withLock { state in
                state.asked.append(key)
                return state.answers.popLast() ?? .sent
            }
        }
    }

    /// What there is at the end.
    private struct End {
        var rows: [StatusTable.Row] = []
        var letters: [String: Int] = [:]
        var time = Duration.zero
    }

    private final class EndBox: Sendable {
        let end = Mutex(End())
    }

    private func send(_ list: [Notification], first: Provider, second: Provider) throws -> End {
        let (time, box) = (VirtualTime(), EndBox())
        try time.run {
            let store = InMemoryRecordStore(clock: time.clock)
            let (settled, signal) = AsyncStream.makeStream(of: Void.self)
            let service = NotificationService(store: store, clock: time.clock, onSettled: { signal.yield() }) { name in
                { key, _, _ in name == .first ? first.answer(key) : second.answer(key) }
            }
            for notification in list { try await service.take(notification) }
            // Taken before: nothing changes.
            for notification in list { try await service.take(notification) }
            let consumer = service.consumer()
            async let running: Void = consumer.run()
            for await _ in settled where try await service.depth == 0 { break }
            let end = End(
                rows: try await StatusTable(store: store).rows(),
                letters: try await RecordDeadLetterQueue("notifications", store: store).statistics().byReason,
                time: time.clock.now.offset)
            box.end.withLock { $0 = end }
            consumer.shutDown()
            try await running
        }
        return box.end.withLock { $0 }
    }

    private func notification(
        _ id: String, to user: String = "u", _ values: [String: String] = ["name": "Ada"]
    ) -> Notification {
        Notification(id: id, user: user, template: "welcome", values: values)
    }

    @Test(arguments: [
        ([ProviderAnswer.sent], [ProviderAnswer](), 1, 0, ProviderName.first),
        ([.refused], [.sent], 1, 1, .second),
        ([.unreachable], [.unreachable, .unknown, .sent], 1, 3, .second),
        // It may have sent it: so it is asked until it says, though it is not there for a while.
        ([.unknown, .unreachable, .unreachable, .sent], [], 4, 0, .first),
        ([.unknown, .unknown, .refused], [.sent], 3, 1, .second),
    ])
    func `each notification is sent by one provider`(
        _ first: [ProviderAnswer], _ second: [ProviderAnswer], _ askedFirst: Int, _ askedSecond: Int,
        _ via: ProviderName
    ) throws {
        let (first, second) = (Provider(first), Provider(second))
        let end = try send([notification("n")], first: first, second: second)
        #expect(end.rows.map(\.state) == [.sent] && end.rows.map(\.via) == [via] && end.letters.isEmpty)
        #expect(first.asked.count == askedFirst && second.asked.count == askedSecond)
    }

    @Test func `what cannot be a text asks nobody and is a dead letter`() throws {
        let (first, second) = (Provider(), Provider())
        let end = try send([notification("n", [:]), notification("m")], first: first, second: second)
        #expect(end.rows.map(\.state) == [.unsendable, .sent] && end.letters == ["nonRetryable": 1])
        #expect(first.asked == ["m"] && second.asked == [])
    }

    @Test func `what nobody sends is a dead letter in the end`() throws {
        let (first, second) = (Provider([.refused]), Provider(Array(repeating: .refused, count: 10)))
        let end = try send([notification("n")], first: first, second: second)
        #expect(end.rows.map(\.state) == [.sending] && end.letters == ["attemptsExhausted": 1])
        #expect(first.asked.count == 1 && second.asked.count == 10)
    }

    @Test func `what has to be tried again holds back its user alone`() throws {
        let first = Provider([.unknown])
        let list = [notification("a"), notification("b"), notification("c", to: "other")]
        _ = try send(list, first: first, second: Provider())
        #expect(first.asked == ["a", "c", "a", "b"])
    }

    @Test func `a user is told five things at once, then twenty a second, in order, and others do not wait`() throws {
        let first = Provider()
        let list = (0..<30).map { notification("\($0)", to: $0 % 3 == 0 ? "u-\($0)" : "busy") }
        let end = try send(list, first: first, second: Provider())
        #expect(end.rows.allSatisfy { $0.state == .sent } && first.asked.count == 30)
        // Of twenty for one user fifteen wait, 50 ms each.
        #expect(end.time >= .milliseconds(750) && end.time < .milliseconds(751))
        let busy = (0..<30).filter { $0 % 3 != 0 }.map { "\($0)" }
        #expect(first.asked.filter(busy.contains) == busy)
        #expect(Set(first.asked.prefix(15)) == Set((0..<30).filter { $0 % 3 == 0 }.map { "\($0)" } + busy.prefix(5)))
    }
}
