// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Messages to a saga that whoever holds it has not heeded yet.
struct SagaMailbox: Hashable, Sendable {
    static let version: UInt8 = 1
    /// How many messages wait at most.
    static let capacity = 100
    static let empty = SagaMailbox(messages: [])

    /// What somebody asks for.
    enum Message: Hashable, Sendable {
        case event(String, payload: [UInt8])
        case retry(reason: String)
        case skip(step: String, reason: String)
        case abort(reason: String)

        var isEvent: Bool {
            if case .event = self { true } else { false }
        }
    }

    var messages: [Message]

    init(messages: [Message]) { self.messages = messages }

    /// The messages in a record, none if there is no record; `nil` if this version of the package cannot read it.
    init?(_ record: Record?) {
        guard let record else {
            self = .empty
            return
        }
        guard let mailbox = try? SagaMailbox(decoding: record.body) else { return nil }
        self = mailbox
    }

    /// Which header of the record says who wrote it last.
    static let mark = "by"

    /// What the record is given; a sender finds its own change by the mark.
    func content(marked mark: String? = nil) -> RecordContent {
        RecordContent(state: "mail", body: encoded, headers: mark.map { [Self.mark: $0] } ?? [:])
    }

    private var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.version)
        writer.write(variable: UInt64(messages.count))
        for message in messages {
            switch message {
            case .event(let name, let payload):
                writer.write(UInt8(1))
                writer.write(name)
                writer.write(payload)
            case .retry(let reason):
                writer.write(UInt8(2))
                writer.write(reason)
            case .skip(let step, let reason):
                writer.write(UInt8(3))
                writer.write(step)
                writer.write(reason)
            case .abort(let reason):
                writer.write(UInt8(4))
                writer.write(reason)
            }
        }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
        messages = []
        for _ in 0..<(try reader.readCount()) {
            switch try reader.readUInt8() {
            case 1: messages.append(.event(try reader.readString(), payload: try reader.readBytes()))
            case 2: messages.append(.retry(reason: try reader.readString()))
            case 3: messages.append(.skip(step: try reader.readString(), reason: try reader.readString()))
            case 4: messages.append(.abort(reason: try reader.readString()))
            default: throw MalformedBytes(offset: 0)
            }
        }
        try reader.finish()
    }
}

extension SagaCoordinator {
    /// Does what messages ask for, and keeps each in the history.
    ///
    /// - Parameter seen: Where the saga stands in the store, as whoever sent them could see it.
    func heed(
        _ messages: [SagaMailbox.Message], _ seen: SagaPosition, _ state: inout SagaState, _ news: inout SagaNews
    ) {
        let parked = Set(seen.branches.filter(\.branch.isParked).map(\.name))
        for message in messages {
            let entry: SagaEntry
            switch message {
            case .event(let name, let payload):
                guard state.receive(name) else { continue }
                entry = SagaEntry(kind: .signalled, step: name, output: payload)
            case .retry(let reason):
                entry = SagaEntry(kind: state.retry(seen: parked) ? .retried : .refused, reason: reason)
            case .skip(let step, let reason):
                entry = SagaEntry(kind: state.skip(step) ? .skipped : .refused, step: step, reason: reason)
            case .abort(let reason):
                let cause = SagaFailure(step: state.firstOpenStep, error: SagaAborted(reason: reason))
                let isDone = state.abort(because: cause, seen: parked)
                entry = SagaEntry(kind: isDone ? .aborted : .refused, reason: reason)
            }
            news.entries.append(entry)
        }
    }
}

extension SagaState {
    /// The step that a failure of the whole saga is put down to.
    var firstOpenStep: String {
        let open = branches.indices.first { !branches[$0].hasEnded } ?? 0
        return branches.isEmpty ? "" : traits(of: open).name
    }
}
