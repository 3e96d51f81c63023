// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Where what cannot be processed is set aside, to be looked at and brought back.
///
/// A consumer of any broker puts a message here when it gives the message up, and acknowledges it there once that is
/// durable: ``RecordDeadLetterQueue`` is the one of this package, on any store of records. Write another for a table of
/// your own.
///
/// What every queue promises: putting a name that stands adds nothing, so putting again is always safe; a letter keeps
/// its name, its position and its times for as long as it stands; nothing but an eviction or a redrive removes it.
public protocol DeadLetterQueue: Sendable {
    /// The queue's name.
    var name: String { get }

    /// Sets a letter aside unless one of its name stands there; durable when it returns.
    @discardableResult
    func put(_ letter: NewDeadLetter) async throws -> DeadLetterPut

    /// The letter of that name, or `nil` if there is none.
    func read(_ id: String) async throws -> DeadLetter?

    /// A page of the letters that a filter lets through, oldest first.
    func list(_ filter: DeadLetterFilter, after position: UInt64?, limit: Int) async throws -> DeadLetterPage

    /// How many letters there are, by reason, and how old the oldest is.
    func statistics() async throws -> DeadLetterStatistics

    /// Hands one letter to a handler and removes it if the handler takes it.
    func redrive(
        _ id: String, lease: Duration, to handler: (DeadLetter) async throws -> Void
    ) async throws -> RedriveOutcome

    /// Takes a letter out for good, with the reason kept.
    func evict(_ id: String, because reason: String) async throws -> DeadLetterEviction
}

/// What became of a letter that was to be put.
public enum DeadLetterPut: Hashable, Sendable {
    /// It is in.
    case put
    /// A letter of that name stands there, and nothing was changed.
    case alreadyThere
}

/// What became of a letter that was to be taken out.
public enum DeadLetterEviction: Hashable, Sendable {
    /// It is out, and kept among the evicted ones with the reason.
    case evicted
    /// No letter of that name stands there.
    case notFound
    /// A redrive holds it, for that long at most, or, with zero, an earlier letter of its order key stands before it;
    /// nothing was changed.
    case held(Duration)
}

/// Which letters are meant; each part that is given must fit.
public struct DeadLetterFilter: Hashable, Sendable {
    /// The reason's code.
    public var reason: String?
    /// The type of the latest error, with its module, as `String(reflecting: TimedOut.self)` says it.
    public var errorType: String?
    /// Where the letter comes from.
    public var source: String?
    /// Its order key there.
    public var orderKey: String?
    /// Put at that time or later.
    public var from: Timestamp?
    /// Put before that time.
    public var until: Timestamp?
    /// Redriven at most so often, zero at least; whoever came back more often than that needs a look.
    public var maximumRedrives: Int?

    /// A filter from its parts; by default every letter fits.
    public init(
        reason: String? = nil, errorType: String? = nil, source: String? = nil, orderKey: String? = nil,
        from: Timestamp? = nil, until: Timestamp? = nil, maximumRedrives: Int? = nil
    ) {
        self.reason = reason
        self.errorType = errorType
        self.source = source
        self.orderKey = orderKey
        self.from = from
        self.until = until
        self.maximumRedrives = maximumRedrives
    }

    /// Every letter.
    public static let all = DeadLetterFilter()

    /// Whether a letter fits.
    public func matches(_ letter: DeadLetter) -> Bool {
        func fits<Part: Equatable>(_ wanted: Part?, _ found: Part?) -> Bool { wanted.map { $0 == found } ?? true }
        return fits(reason, letter.reason.code) && fits(errorType, letter.failures.last?.errorType)
            && fits(source, letter.origin.source) && fits(orderKey, letter.origin.orderKey)
            && from.map { letter.deadLetteredAt >= $0 } ?? true && until.map { letter.deadLetteredAt < $0 } ?? true
            && maximumRedrives.map { letter.redriveCount <= max(0, $0) } ?? true
    }
}
