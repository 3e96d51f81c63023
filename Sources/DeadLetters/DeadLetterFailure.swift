// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// One failed attempt to process something, as text of bounded size.
public struct DeadLetterFailure: Hashable, Sendable {
    /// When it failed, in the store's time.
    public let time: Timestamp
    /// The type of the error, with its module, cut to 256 bytes.
    public let errorType: String
    /// The error in words, cut to 1,024 bytes at the end of a character.
    public let message: String

    /// A failure in words of your own; both are cut to their limits.
    public init(errorType: String, message: String, time: Timestamp) {
        let text = ErrorText(type: errorType, message: message)
        self.time = time
        self.errorType = text.type
        self.message = text.message
    }

    /// The failure that an error tells of, by its type's name and its description.
    ///
    /// The description is stored as it is: an error whose description shows personal data or secrets must be put into
    /// other words first.
    public init(_ error: any Error, time: Timestamp) {
        let text = ErrorText(error)
        self.init(errorType: text.type, message: text.message, time: time)
    }
}

/// The failures of a letter: the first one, the last nine, and how many there were in all.
///
/// The first failure is usually the cause and the last ones are the state of things; what lies between is counted and
/// dropped, so that a letter never outgrows its record.
public struct FailureHistory: Hashable, Sendable {
    /// How many of the latest failures are kept beside the first.
    public static let latestKept = 9

    /// How many failures there were, kept or not; counted up to 4,294,967,295.
    public private(set) var count: Int
    /// The first failure and the latest ones, oldest first; at most ten.
    public private(set) var kept: [DeadLetterFailure]

    /// A history of these failures, oldest first.
    public init(_ failures: [DeadLetterFailure] = []) {
        count = 0
        kept = []
        for failure in failures { append(failure) }
    }

    /// A history as it is read back; `nil` if the numbers do not fit each other.
    init?(count: Int, kept: [DeadLetterFailure]) {
        guard kept.count == min(count, 1 + Self.latestKept) else { return nil }
        self.count = count
        self.kept = kept
    }

    /// Adds a failure; the oldest but the first makes room.
    public mutating func append(_ failure: DeadLetterFailure) {
        count = min(count + 1, Int(UInt32.max))
        if kept.count > Self.latestKept { kept.remove(at: 1) }
        kept.append(failure)
    }

    /// The first failure of all.
    public var first: DeadLetterFailure? { kept.first }
    /// The latest failure.
    public var last: DeadLetterFailure? { kept.last }
}
