// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// A retry that was taken out of a ``RetryBudget``.
///
/// Until it begins it is held, and counts however long that takes. Tell it when it begins and how it ended, once. If it
/// goes away before that, it is given back unless it has begun, and reported as
/// ``RetryBudgetEvent/Kind/withdrawalDropped(hasBegun:)``.
public struct RetryWithdrawal: ~Copyable, Sendable {
    /// The budget, until the retry is settled.
    private var budget: RetryBudget?
    private var receipt: BudgetReceipt
    private var hasBegun = false

    init(_ budget: RetryBudget, _ receipt: BudgetReceipt) {
        self.budget = budget
        self.receipt = receipt
    }

    /// The delay is over and the attempt begins: a window counts it from now on. A second call does nothing.
    public mutating func begin() {
        guard let budget, !hasBegun else { return }
        receipt = budget.begin(receipt)
        hasBegun = true
    }

    /// Tells the budget that the operation succeeded at this retry, which begins now if it has not begun.
    public consuming func succeeded() {
        begin()
        budget?.succeeded(after: receipt)
        budget = nil
    }

    /// Tells the budget that this retry failed, and it stays spent; it begins now if it has not begun.
    ///
    /// A `Rejection` gives it back: a guard refused it, and it did not reach the neighbour. The failure itself is counted
    /// by what comes next: ``RetryBudget/withdraw(after:)`` or ``RetryBudget/gaveUp(after:)``.
    ///
    /// - Parameter error: What it failed with; `nil` if it returned a value that asks for another attempt.
    public consuming func failed(with error: (any Error)? = nil) {
        begin()
        budget?.failed(receipt, with: error)
        budget = nil
    }

    /// Gives the retry back: the attempt was not made, or did not reach the neighbour.
    public consuming func giveBack() {
        budget?.giveBack(receipt)
        budget = nil
    }

    deinit {
        guard let budget else { return }
        if !hasBegun { budget.giveBack(receipt) }
        budget.reportDropped(hasBegun: hasBegun)
    }
}

/// What a ``RetryBudget`` tells of the code that uses it.
public struct RetryBudgetEvent: Sendable, Hashable {
    /// What happened.
    public enum Kind: Sendable, Hashable {
        /// A ``RetryWithdrawal`` went away unsettled: a path in the calling code tells it nothing. It was given back,
        /// unless its attempt had begun.
        case withdrawalDropped(hasBegun: Bool)
    }

    /// The name of the budget.
    public let name: String
    /// What happened.
    public let kind: Kind

    /// Makes an event.
    public init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}
