// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An order key of which letters stand: items of the key that come later follow them, so that none overtakes.
///
/// It is a record of its own, changed with every letter that comes or goes, so no two changes overlook each other.
package struct ParkedKey: Hashable, Sendable {
    static let version: UInt8 = 1

    /// How long it is remembered of a key that letters of it came and went, so that whoever claimed an item before that
    /// does not start it after.
    private static let memory = Duration.seconds(86_400)

    /// How many letters of the key stand.
    package var letters: Int
    /// Up to which position items of the key may run nevertheless, because they have been letters and came back.
    package var runsThrough: UInt64
    /// The record's fence; `nil` before it stands.
    package private(set) var fence: Fence?

    private init(letters: Int, runsThrough: UInt64) {
        self.letters = letters
        self.runsThrough = runsThrough
    }

    fileprivate init(_ record: Record) throws(MalformedBytes) {
        var reader = ByteReader(record.body)
        guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
        letters = try reader.readNumber()
        runsThrough = try reader.readUInt64()
        try reader.finish()
        fence = record.fence
    }

    /// A key of which no letter stands.
    package static let open = ParkedKey(letters: 0, runsThrough: 0)

    /// What is known of a key whose record cannot be read: so many letters stand, and nothing passes them.
    fileprivate init(unreadable record: Record, letters: Int) {
        self.init(letters: letters, runsThrough: 0)
        fence = record.fence
    }

    /// Whether an item of the key that has this position has to follow its letters.
    package func holdsBack(_ position: UInt64) -> Bool { letters > 0 && position > runsThrough }

    /// Whether letters of the key have come or gone since a record was claimed: then it need not be the first of its key
    /// any more, since letters come back before it.
    package func hasChanged(since claimed: Record) -> Bool { fence.map { $0 > claimed.fence } ?? false }

    /// The change of the record of which this is what comes out.
    fileprivate func change(of id: RecordID) -> Change? {
        var writer = ByteWriter()
        writer.write(Self.version)
        writer.write(variable: UInt64(max(0, letters)))
        writer.write(runsThrough)
        let isOpen = letters <= 0
        let content = RecordContent(
            state: isOpen ? "open" : "parked", body: writer.bytes, expires: isOpen ? .after(Self.memory) : .never)
        guard let fence else { return isOpen ? nil : .insert(id, content) }
        return .replace(id, expecting: fence, with: content, lease: .end)
    }
}

extension RecordDeadLetterQueue {
    private func parkedID(_ orderKey: String) -> RecordID { RecordID("parked/\(name)", orderKey) }

    /// What stands of some order keys.
    package func parkedKeys(_ orderKeys: Set<String>) async throws(StoreError) -> [String: ParkedKey] {
        guard !orderKeys.isEmpty else { return [:] }
        let keys = Array(orderKeys)
        let records = try await store.read(keys.map(parkedID)).records
        var parked: [String: ParkedKey] = [:]
        for (key, record) in zip(keys, records) {
            guard let record else {
                parked[key] = .open
                continue
            }
            do throws(MalformedBytes) {
                parked[key] = try ParkedKey(record)
            } catch {
                // A letter that comes or goes after this changes the record, and so is in the way of who has counted.
                parked[key] = ParkedKey(unreadable: record, letters: try await countLetters(of: key))
            }
        }
        return parked
    }

    private func countLetters(of orderKey: String) async throws(StoreError) -> Int {
        var count = 0
        var position: UInt64?
        repeat {
            let page = try await store.scan(collection, state: nil, after: position, limit: 100)
            count += page.records.count { $0.orderKey == orderKey }
            position = page.next
        } while position != nil
        return count
    }

    /// The change that makes of a key what it is now; `nil` if nothing stands and nothing did.
    package func change(of orderKey: String, to parked: ParkedKey) -> Change? { parked.change(of: parkedID(orderKey)) }

    /// The change that takes a letter of its key out.
    package func change(leaving letter: Record) async throws(StoreError) -> Change? {
        guard let orderKey = letter.orderKey else { return nil }
        var parked = try await parkedKeys([orderKey])[orderKey] ?? .open
        parked.letters -= 1
        return change(of: orderKey, to: parked)
    }
}
