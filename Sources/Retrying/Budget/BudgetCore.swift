// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

/// What a core remembers a retry by; each core gives it a meaning of its own.
typealias BudgetReceipt = Int64

/// The pure core of a ``RetryBudget``: what is counted, and whether a retry is granted.
protocol BudgetCore: Sendable {
    /// Whether first attempts count, and with them time.
    static var countsFirstAttempts: Bool { get }
    /// Whether failures and successes count.
    static var countsResults: Bool { get }

    /// An operation is attempted for the first time.
    mutating func deposit(at now: Int64)
    /// An attempt failed that no retry was asked for.
    mutating func failed(cost: Int64)
    /// An attempt failed, and another is asked for; `nil` if it is not granted.
    mutating func withdraw(cost: Int64, at now: Int64) -> BudgetReceipt?
    /// The retry begins; what it is remembered by from now on.
    mutating func begin(_ receipt: BudgetReceipt, at now: Int64) -> BudgetReceipt
    /// The retry was not made, or did not reach the neighbour.
    mutating func giveBack(_ receipt: BudgetReceipt, at now: Int64)
    /// The operation succeeded: at the retry, or at its first attempt.
    mutating func succeeded(after receipt: BudgetReceipt?)
    /// How many retries of that cost would be granted.
    mutating func available(cost: Int64, at now: Int64) -> Int64
}

/// A core behind a lock and a clock, whichever core it is.
protocol BudgetLedger: Sendable {
    func deposit()
    func failed(with error: (any Error)?)
    func withdraw(after error: (any Error)?) -> BudgetReceipt?
    func begin(_ receipt: BudgetReceipt) -> BudgetReceipt
    func giveBack(_ receipt: BudgetReceipt)
    func succeeded(after receipt: BudgetReceipt?)
    func available() -> Int64
}

final class SharedBudget<Core: BudgetCore>: BudgetLedger {
    private let core: Locked<Core>
    /// `nil` if time does not count.
    private let time: TimeSource?
    private let cost: @Sendable ((any Error)?) -> Int64

    /// - Parameter cost: What a failure with this error costs, in the unit of the core; called outside the lock.
    init(_ core: Core, _ time: TimeSource? = nil, cost: @escaping @Sendable ((any Error)?) -> Int64) {
        self.core = Locked(core)
        self.time = time
        self.cost = cost
    }

    func deposit() {
        guard Core.countsFirstAttempts else { return }
        let now = now()
        core.withLock { $0.deposit(at: now) }
    }

    func failed(with error: (any Error)?) {
        guard Core.countsResults else { return }
        let cost = cost(error)
        core.withLock { $0.failed(cost: cost) }
    }

    func withdraw(after error: (any Error)?) -> BudgetReceipt? {
        let (cost, now) = (cost(error), now())
        return core.withLock { $0.withdraw(cost: cost, at: now) }
    }

    func begin(_ receipt: BudgetReceipt) -> BudgetReceipt {
        let now = now()
        return core.withLock { $0.begin(receipt, at: now) }
    }

    func giveBack(_ receipt: BudgetReceipt) {
        let now = now()
        core.withLock { $0.giveBack(receipt, at: now) }
    }

    func succeeded(after receipt: BudgetReceipt?) {
        guard Core.countsResults else { return }
        core.withLock { $0.succeeded(after: receipt) }
    }

    func available() -> Int64 {
        let (cost, now) = (cost(nil), now())
        return core.withLock { $0.available(cost: cost, at: now) }
    }

    private func now() -> Int64 { time?.now() ?? 0 }
}
