// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import WorkQueues

/// What the providers' ledgers, the status table and the dead letters say, and whether it fits.
struct Audit {
    private(set) var sent: [ProviderName: Int] = [:]
    let crashes: Int
    let notifications: Int
    let deadLetters: [String: Int]
    private(set) var lost = 0
    private(set) var sentTwice = 0
    private(set) var wronglyListed = 0

    init(
        _ notifications: [Notification], _ place: Workplace, _ store: some RecordStore, crashes: Int
    ) async throws {
        self.crashes = crashes
        self.notifications = notifications.count
        deadLetters = try await RecordDeadLetterQueue("notifications", store: store).statistics().byReason
        var ledgers: [String: [ProviderName]] = [:]
        for name in ProviderName.allCases {
            for message in try SentMessage.read(place.ledger(name)) { ledgers[message.key, default: []].append(name) }
        }
        let rows = Dictionary(
            try await StatusTable(store: store).rows().map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for notification in notifications {
            let by = ledgers[notification.id] ?? []
            let isSendable = (try? Template.text(for: notification)) != nil
            for name in by { sent[name, default: 0] += 1 }
            if isSendable, by.isEmpty { lost += 1 }
            if by.count > (isSendable ? 1 : 0) { sentTwice += 1 }
            let row = rows[notification.id]
            let isListed = isSendable ? row?.state == .sent && row?.via == by.first : row?.state == .unsendable
            if !isListed { wronglyListed += 1 }
        }
    }

    var isSound: Bool { lost == 0 && sentTwice == 0 && wronglyListed == 0 }

    var table: String {
        let rows: [(String, Int)] =
            [
                ("notifications", notifications),
                ("  sent by the first provider", sent[.first] ?? 0),
                ("  sent by the second, which the first refused", sent[.second] ?? 0),
            ]
            + deadLetters.sorted { $0.key < $1.key }.map { ("  dead letters: \($0.key)", $0.value) }
            + [
                ("the service was killed", crashes),
                ("lost (must be 0)", lost),
                ("sent twice (must be 0)", sentTwice),
                ("wrong in the status table (must be 0)", wronglyListed),
            ]
        return rows.map { label, number in
            let digits = String(number)
            return label + String(repeating: " ", count: 55 - label.count - digits.count) + digits
        }.joined(separator: "\n")
    }
}
