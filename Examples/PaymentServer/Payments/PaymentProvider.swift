// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A payment provider, simulated: a ledger, and answers that take their time.
actor PaymentProvider {
    private let ledger: LedgerFile
    /// Whether a second charge with the same key answers what the first did, instead of charging again.
    private let honoursKeys: Bool
    private let delay: Duration
    private var receipts: [String: Receipt] = [:]
    private var charges = 0
    // The ledger is written here, which blocks.
    private let executor = QueueExecutor("payment-provider")

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - path: The ledger's file.
    ///   - honoursKeys: Whether it recognises a key that it has seen.
    ///   - delay: How long an answer takes, after the charge.
    init(ledger path: String, honoursKeys: Bool, delay: Duration) throws {
        var (receipts, charges) = ([String: Receipt](), 0)
        ledger = try LedgerFile(path) { line in
            receipts[line.key] = line.receipt
            charges += 1
        }
        self.receipts = receipts
        self.charges = charges
        self.honoursKeys = honoursKeys
        self.delay = delay
    }

    /// Charges an account.
    ///
    /// - Throws: whatever went wrong; the charge may have taken place.
    func charge(_ payment: Payment, key: String) async throws -> Receipt {
        let receipt = try enter(payment, key)
        try await Task.sleep(for: delay)
        return receipt
    }

    private func enter(_ payment: Payment, _ key: String) throws -> Receipt {
        if honoursKeys, let receipt = receipts[key] { return receipt }
        let receipt = Receipt(
            receipt: "ch_\(charges + 1)", account: payment.account, amount: payment.amount, currency: payment.currency)
        try ledger.append(LedgerLine(key: key, receipt: receipt))
        receipts[key] = receipt
        charges += 1
        return receipt
    }
}
