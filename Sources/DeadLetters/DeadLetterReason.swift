// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Why something could not be processed and was set aside.
///
/// The list is open: a reason is a short code and an optional note, so further codes never break a `switch`. The code
/// is the state of the letter's record, which is how statistics count letters by reason.
public struct DeadLetterReason: Hashable, Sendable, CustomStringConvertible {
    /// A short label for queries and metrics: 1 to 32 bytes of printable ASCII.
    public let code: String
    /// A note for people, cut to 255 bytes; `nil` for the plain reasons.
    public let note: String?

    private init(_ code: String) { self.init(uncheckedCode: code, note: nil) }

    init(uncheckedCode code: String, note: String?) {
        self.code = code
        self.note = note?.prefix(bytes: 255)
    }

    /// A reason of your own. The code comes from code, not from a request: it is checked by a precondition.
    public init(code: String, note: String? = nil) {
        precondition(
            RecordLimits.state.contains(code.utf8.count) && code.utf8.allSatisfy { (0x20...0x7E).contains($0) },
            "The code of a reason is 1 to 32 bytes of printable ASCII, not \"\(code)\"")
        self.init(uncheckedCode: code, note: note)
    }

    /// It failed as often as it may.
    public static let attemptsExhausted = DeadLetterReason("attemptsExhausted")
    /// Its worker died with it as often as it may.
    public static let crashLoop = DeadLetterReason("crashLoop")
    /// It failed with an error that no further attempt can mend.
    public static let nonRetryable = DeadLetterReason("nonRetryable")
    /// Its bytes could not be read; the payload holds them as they came.
    public static let undecodable = DeadLetterReason("undecodable")
    /// It exceeds a size limit further on.
    public static let oversize = DeadLetterReason("oversize")
    /// It was not processed in its time.
    public static let expired = DeadLetterReason("expired")
    /// The handler refused it.
    public static let rejectedByHandler = DeadLetterReason("rejectedByHandler")
    /// It may or may not have taken effect, and its owner decided not to run it again.
    public static let outcomeUnknown = DeadLetterReason("outcomeUnknown")
    /// An earlier one of the same order key was set aside, and order matters.
    public static let precedingItemParked = DeadLetterReason("precedingItemParked")

    /// Somebody set it aside by hand, and why.
    public static func manual(_ note: String) -> DeadLetterReason {
        DeadLetterReason(uncheckedCode: "manual", note: note)
    }

    /// The code, with the note if there is one.
    public var description: String { note.map { "\(code): \($0)" } ?? code }
}
