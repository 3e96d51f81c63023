// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Why a store did not answer.
///
/// Conflicts, stale fences and lost leases are answers, not errors. Of the errors, ``outcomeUnknown(_:)`` alone leaves
/// open whether a change is in.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The input exceeds a limit; nothing was changed.
    case refused(RefusedInput)
    /// There is no room for another record, in the capacity of the store or on its disk; nothing was changed.
    ///
    /// Records that stand can still be replaced, moved, deleted and held, so that what was begun can be ended.
    case full(StoreFailure)
    /// The store has been closed; nothing was changed.
    case closed
    /// The store cannot work now; nothing was changed. A file store stays so until it is opened again.
    case unavailable(StoreFailure)
    /// The change was handed over and its fate is not known. Read once: ``Record/changedUnder`` tells.
    case outcomeUnknown(StoreFailure)

    /// Whether it is certain that nothing was changed.
    public var isNotApplied: Bool {
        switch self {
        case .refused, .full, .closed, .unavailable: true
        case .outcomeUnknown: false
        }
    }

    /// What happened, for people.
    public var description: String {
        switch self {
        case .refused(let input): "refused: \(input)"
        case .full(let failure): "the store is full: \(failure)"
        case .closed: "the store is closed"
        case .unavailable(let failure): "the store is unavailable: \(failure)"
        case .outcomeUnknown(let failure): "the outcome is unknown: \(failure)"
        }
    }
}

/// Input that a store does not take, with the limit that it exceeds.
public struct RefusedInput: Hashable, Sendable, CustomStringConvertible {
    /// What exceeds its limit, such as `key` or `body`.
    public let field: String
    /// Its size.
    public let size: Int
    /// The sizes that are taken.
    public let allowed: ClosedRange<Int>

    /// A refusal of a field of that size.
    public init(field: String, size: Int, allowed: ClosedRange<Int>) {
        self.field = field
        self.size = size
        self.allowed = allowed
    }

    /// The field, its size and the limit.
    public var description: String {
        "\(field) is \(size), allowed are \(allowed.lowerBound) to \(allowed.upperBound)"
    }
}

/// A failure below a store: what it was doing, to which file, and the system's error number.
public struct StoreFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What the store was doing, such as `write` or `sync`.
    public let operation: String
    /// The file or address concerned.
    public let subject: String
    /// The system's error number; 0 where there is none.
    public let code: Int32

    /// A failure of an operation.
    public init(operation: String, subject: String, code: Int32) {
        self.operation = operation
        self.subject = subject
        self.code = code
    }

    /// The operation, its subject and the system's text for the error.
    public var description: String {
        code == 0 ? "\(operation) of \(subject)" : "\(operation) of \(subject): \(systemErrorText(code))"
    }
}
