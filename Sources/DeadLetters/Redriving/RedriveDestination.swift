// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Where a redrive brings letters.
public struct RedriveDestination: Sendable {
    enum Form: Sendable {
        /// Records of the same store: what becomes of each letter is one commit with the redrive's own progress.
        case changes(@Sendable (RecordDeadLetterQueue, [Letter]) async throws(StoreError) -> Moves)
        case handler(@Sendable (DeadLetter) async throws -> Void)
    }

    /// A letter and its record.
    package struct Letter: Sendable {
        package let record: Record
        package let letter: DeadLetter

        package init(record: Record, letter: DeadLetter) {
            self.record = record
            self.letter = letter
        }

        /// A letter that was claimed only to see whether it is the first of its order key: that is no redrive.
        package init?(claimed record: Record) {
            var unclaimed = record
            unclaimed.claims -= 1
            guard let letter = try? DeadLetter(unclaimed) else { return nil }
            self.init(record: record, letter: letter)
        }

        /// Whether it is a letter only because another one of its order key stands before it.
        package var isFollower: Bool { record.orderKey != nil && letter.reason == .precedingItemParked }
    }

    /// How much goes in one commit: half of what one takes, so that one more letter always fits.
    package struct Room {
        private var left = RecordLimits.batch.upperBound / 2

        /// Whether there was room left for a letter.
        package mutating func takes(_ record: Record) -> Bool {
            defer { left -= record.body.count + RecordLimits.size(of: record.headers) }
            return left > 0
        }
    }

    package static var room: Room { Room() }

    /// The changes that take letters to their place.
    package struct Moves: Sendable {
        /// For each letter the change that moves its record; `nil` if it cannot go now.
        package var ofLetters: [Change?]
        /// What else has to be in with them.
        package var alongside: [Change]

        package init(ofLetters: [Change?], alongside: [Change] = []) {
            self.ofLetters = ofLetters
            self.alongside = alongside
        }
    }

    /// What the destination is called; a redrive goes to the one that it was started for.
    public let name: String
    let form: Form

    /// A handler, for a destination outside the store, such as a topic of a broker.
    ///
    /// It is given each letter as by ``RecordDeadLetterQueue/redrive(_:lease:to:)``: a letter that it takes is removed
    /// afterwards, so after a crash between the two it is given the letter again, under the same name.
    ///
    /// A letter for which it throws stays, with the failure added, and counts as failed. If it throws a `Rejection` that
    /// says when to come again, such as that of an open circuit, the redrive waits until then and gives it the same
    /// letter; one that does not say counts as failed.
    ///
    /// - Parameters:
    ///   - name: What tells it from other destinations, the same in every process; at most 255 bytes.
    ///   - handler: Takes a letter, and throws if it does not.
    public static func handler(
        _ name: String, _ handler: @escaping @Sendable (DeadLetter) async throws -> Void
    ) -> RedriveDestination {
        RedriveDestination(name: name, form: .handler(handler))
    }

    /// A place in the same store.
    ///
    /// - Parameter changes: Says how letters of a queue get there, oldest first.
    package static func changes(
        _ name: String,
        _ changes: @escaping @Sendable (RecordDeadLetterQueue, [Letter]) async throws(StoreError) -> Moves
    ) -> RedriveDestination {
        RedriveDestination(name: name, form: .changes(changes))
    }

    private init(name: String, form: Form) {
        precondition(name.utf8.count <= 255, "A destination's name has at most 255 bytes, not \(name.utf8.count)")
        self.name = name
        self.form = form
    }
}
