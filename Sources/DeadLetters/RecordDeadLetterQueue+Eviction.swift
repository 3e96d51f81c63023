// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Letters that were taken out, some of a queue, oldest first.
public struct EvictedDeadLetterPage: Hashable, Sendable {
    /// The letters, in the order of their positions.
    public let letters: [EvictedDeadLetter]
    /// Letters of this page that this version of the package cannot read.
    public let unreadable: [UnreadableDeadLetter]
    /// Pass it as `after` to get the next page; `nil` on the last one.
    public let next: UInt64?
}

/// A letter that was taken out, and why.
public struct EvictedDeadLetter: Hashable, Sendable {
    /// The letter as it stood, with its bytes.
    public let letter: DeadLetter
    /// Why it was taken out, in words.
    public let because: String
    /// When it was.
    public let evictedAt: Timestamp
}

extension RecordDeadLetterQueue {
    /// The collection that holds what was taken out.
    public var evictedCollection: String { "evicted/\(name)" }

    /// Takes a letter out for good: it is no longer listed, counted or redriven, and its name is free again. It stays
    /// among the evicted ones as it was, with the reason. A letter that cannot be read can be taken out like others.
    ///
    /// Letters of its order key that stand behind it stay where they are. The queue that they come from takes it out and
    /// brings them back in one call: `WorkQueue.evict(_:because:)`.
    ///
    /// - Parameters:
    ///   - id: The letter's name.
    ///   - reason: For people, cut to 255 bytes.
    /// - Throws: `StoreError`.
    @discardableResult
    public func evict(_ id: String, because reason: String) async throws(StoreError) -> DeadLetterEviction {
        let claim = try await store.claim(ClaimRequest(.ids([self.id(id)]), lease: Lease(.seconds(30))))
        guard let held = claim.claimed.first else {
            return claim.standing.first.map { .held($0.leaseRemaining(at: claim.now)) } ?? .notFound
        }
        let body = EvictedBody(held, because: reason, at: claim.now)
        let content = RecordContent(state: held.state, body: body.encoded(), headers: held.headers)
        // A name may be taken out more than once, so the position goes with it.
        let name = RecordID(evictedCollection, "\(id.prefix(bytes: 1_000))@\(held.position)")
        let move = Change.move(held.id, to: name, expecting: held.fence, with: content, lease: .end)
        guard try await settle(move, under: held, isLeaving: true) else { return .held(.zero) }
        report(id, DeadLetterReason(uncheckedCode: held.state, note: nil), .evicted)
        return .evicted
    }

    /// A page of what was taken out, oldest first.
    ///
    /// - Parameters:
    ///   - after: The `next` of the page before; by default the listing starts with the oldest.
    ///   - limit: 1 to 1,000 letters, by default 100.
    public func evicted(after: UInt64? = nil, limit: Int = 100) async throws(StoreError) -> EvictedDeadLetterPage {
        let page = try await store.scan(evictedCollection, state: nil, after: after, limit: limit)
        var (letters, unreadable): ([EvictedDeadLetter], [UnreadableDeadLetter]) = ([], [])
        for record in page.records {
            do throws(UnreadableDeadLetter) {
                letters.append(try EvictedDeadLetter(record))
            } catch {
                unreadable.append(error)
            }
        }
        return EvictedDeadLetterPage(letters: letters, unreadable: unreadable, next: page.next)
    }

    /// Removes what was taken out longer ago than a time; says how many there were. Nothing else ever removes it.
    @discardableResult
    public func purgeEvicted(olderThan age: Duration) async throws(StoreError) -> Int {
        var count = 0
        var position: UInt64?
        repeat {
            let page = try await store.scan(evictedCollection, state: nil, after: position, limit: 100)
            for record in page.records {
                guard let body = try? EvictedBody(decoding: record.body) else { continue }
                guard body.evictedAt.duration(to: page.now) >= age else { continue }
                // Another purge may have come first.
                if case .committed = try await store.commit([.delete(record.id, expecting: record.fence)]) {
                    count += 1
                }
            }
            position = page.next
        } while position != nil
        return count
    }
}

/// The bytes of the record of an evicted letter: version 1 of the layout.
private struct EvictedBody {
    static let version: UInt8 = 1

    /// What the letter was called.
    let id: String
    let because: String
    let evictedAt: Timestamp
    /// How often the letter had been handed out.
    let claims: Int
    /// The bytes of the letter, readable or not.
    let letter: [UInt8]

    init(_ letter: Record, because reason: String, at now: Timestamp) {
        id = letter.id.key
        because = reason.prefix(bytes: 255)
        evictedAt = now
        // The claim that the eviction takes is no redrive.
        claims = max(0, letter.claims - 1)
        self.letter = letter.body
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.reserveCapacity(letter.count + 300)
        writer.write(Self.version)
        writer.write(id)
        writer.write(because)
        writer.write(evictedAt.nanosecondsSince1970)
        writer.write(variable: UInt64(claims))
        writer.write(letter)
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
        id = try reader.readString()
        because = try reader.readString()
        evictedAt = try reader.readTimestamp()
        claims = try reader.readNumber()
        letter = try reader.readBytes()
        try reader.finish()
    }
}

extension EvictedDeadLetter {
    fileprivate init(_ record: Record) throws(UnreadableDeadLetter) {
        let body: EvictedBody
        do throws(MalformedBytes) {
            body = try EvictedBody(decoding: record.body)
        } catch {
            throw UnreadableDeadLetter(id: record.id.key, offset: error.offset)
        }
        let standing = Record(
            id: RecordID(record.id.collection, body.id), fence: record.fence, position: record.position,
            state: record.state, claims: body.claims, createdAt: record.createdAt, headers: record.headers,
            body: body.letter)
        self.init(letter: try DeadLetter(standing), because: body.because, evictedAt: body.evictedAt)
    }
}
