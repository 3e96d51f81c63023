// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import WorkQueues

/// What has become of each notification: a record beside its item in the queue, in the same store.
struct StatusTable: Sendable {
    enum State: String, Sendable {
        case queued
        /// A request to a provider has been made, or is about to be.
        case sending
        case sent
        /// It will never be sent, and its letter is among the dead ones.
        case unsendable
    }

    /// One line of the table.
    struct Row: Sendable {
        let id: String
        let fence: Fence
        let state: State
        let user: String
        let template: String
        /// The provider that was asked last.
        let via: ProviderName?

        init?(_ record: Record) {
            guard let state = State(rawValue: record.state) else { return nil }
            self.state = state
            id = record.id.key
            fence = record.fence
            user = record.headers["user", default: ""]
            template = record.headers["template", default: ""]
            via = record.headers["via"].flatMap { ProviderName(rawValue: $0) }
        }

        /// The change that makes it another state; it conflicts if somebody else was faster.
        func change(to state: State, via: ProviderName?) -> Change {
            .replace(
                StatusTable.id(id), expecting: fence,
                with: StatusTable.content(state, user: user, template: template, via: via), lease: .end)
        }
    }

    static let collection = "notifications"

    let store: any RecordStore

    /// The change that puts a notification into the table; it conflicts if it is there.
    static func insertion(of notification: Notification) -> Change {
        .insert(
            id(notification.id),
            content(.queued, user: notification.user, template: notification.template, via: nil))
    }

    func row(_ id: String) async throws -> Row {
        guard let row = try await store.read([Self.id(id)]).records[0].flatMap({ Row($0) }) else {
            throw Missing(id: id)
        }
        return row
    }

    /// Commits a change of a row, and reads the row again.
    func commit(_ change: Change, of id: String) async throws -> Row {
        guard case .committed = try await store.commit([change]) else { throw Missing(id: id) }
        return try await row(id)
    }

    func rows() async throws -> [Row] {
        var (rows, position): ([Row], UInt64?) = ([], nil)
        repeat {
            let page = try await store.scan(Self.collection, state: nil, after: position, limit: 1_000)
            rows += page.records.compactMap { Row($0) }
            position = page.next
        } while position != nil
        return rows
    }

    /// The row is not there, or somebody else has changed it: whoever holds the item now sees to it.
    struct Missing: Error, Hashable {
        let id: String
    }

    private static func id(_ id: String) -> RecordID { RecordID(collection, id) }

    private static func content(_ state: State, user: String, template: String, via: ProviderName?) -> RecordContent {
        var headers = ["user": user, "template": template]
        headers["via"] = via?.rawValue
        return RecordContent(state: state.rawValue, headers: headers)
    }
}
