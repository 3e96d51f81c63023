// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// The retry throttle of gRPC: tokens in thousandths, since the ratio has three decimal places; so are the costs.
struct TokenBudget: BudgetCore {
    static let countsFirstAttempts = false
    static let countsResults = true

    private let maximum: Int64
    private let ratio: Int64
    private var tokens: Int64

    init(maxTokens: Int, tokenRatio: Double) {
        maximum = Int64(maxTokens) * 1_000
        // Through billionths, so that 1.001, whose thousandfold as a double is a little less than 1,001, stays 1.001.
        ratio = Int64((tokenRatio * 1_000_000_000).rounded()) / 1_000_000
        tokens = maximum
    }

    mutating func deposit(at now: Int64) {}

    /// What a failed attempt takes: a token, but what a guard refused never reached the neighbour.
    static func cost(of error: (any Error)?) -> Int64 { error?.isRefusal ?? false ? 0 : 1_000 }

    mutating func failed(cost: Int64) { tokens = max(0, tokens - cost) }

    mutating func withdraw(cost: Int64, at now: Int64) -> BudgetReceipt? {
        failed(cost: cost)
        return 2 * tokens > maximum ? 0 : nil
    }

    mutating func begin(_ receipt: BudgetReceipt, at now: Int64) -> BudgetReceipt { receipt }

    /// A retry takes no token, only the failure before it did, and that stays true.
    mutating func giveBack(_ receipt: BudgetReceipt, at now: Int64) {}

    mutating func succeeded(after receipt: BudgetReceipt?) { tokens = min(maximum, tokens + ratio) }

    /// After as many failures more than half of the tokens are left.
    func available(cost: Int64, at now: Int64) -> Int64 { max(0, 2 * tokens - maximum - 1) / (2 * max(1, cost)) }
}

/// The retry quota of the AWS SDKs: retries cost tokens, and success gives them back.
struct QuotaBudget: BudgetCore {
    static let countsFirstAttempts = false
    static let countsResults = true

    private let capacity: Int64
    private var tokens: Int64

    init(capacity: Int) {
        self.capacity = Int64(capacity)
        tokens = self.capacity
    }

    mutating func deposit(at now: Int64) {}

    mutating func failed(cost: Int64) {}

    /// The receipt is the cost.
    mutating func withdraw(cost: Int64, at now: Int64) -> BudgetReceipt? {
        guard cost <= tokens else { return nil }
        tokens -= cost
        return cost
    }

    mutating func begin(_ receipt: BudgetReceipt, at now: Int64) -> BudgetReceipt { receipt }

    mutating func giveBack(_ receipt: BudgetReceipt, at now: Int64) { restore(receipt) }

    mutating func succeeded(after receipt: BudgetReceipt?) { restore(receipt ?? 1) }

    func available(cost: Int64, at now: Int64) -> Int64 { tokens / max(1, cost) }

    private mutating func restore(_ amount: Int64) { tokens = min(capacity, tokens.addingSaturating(amount)) }
}
