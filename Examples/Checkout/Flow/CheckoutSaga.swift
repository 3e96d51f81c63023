// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

/// The three steps of a checkout, and what undoes them.
struct CheckoutSaga: Sendable {
    /// How long an answer of the provider is waited for.
    private static let timeout = Duration.milliseconds(250)
    /// How long a refund waits between its calls.
    private static let patience = Backoff.exponential(initial: .milliseconds(50), maximum: .seconds(2))

    let inventory: Inventory
    let carrier: Carrier
    let provider: ProviderClient
    /// Whether the provider takes a second request with the same key for the first.
    let honoursKeys: Bool
    let breaker: CircuitBreaker
    let onRetry: @Sendable (RetryEvent) -> Void

    var definition: SagaDefinition<Order> {
        SagaDefinition("checkout", version: 1) {
            SagaStep("reserve", ifUnknown: .reexecute) { context in
                try await inventory.reserve(context.input.quantity, of: context.input.sku, key: context.key)
            } compensation: { context in
                try await inventory.release(key: context.forwardKey)
            }
            // A provider that honours keys is asked again with the same one. Any other must not be asked twice for
            // money, so a charge without an answer is parked for somebody to look at.
            SagaStep("charge", ifUnknown: honoursKeys ? .reexecute : .park) { context in
                try await charge(context.input, key: context.key)
            } compensation: { context in
                try await refund(context.input, key: context.key)
            }.retryCompensation(.unlimited(backoff: Self.patience))
            // The carrier remembers keys: what it finds too large now it has not booked before.
            SagaStep.pivot("ship", ifUnknown: .reexecute, classify: { $0 is TooLargeToShip ? .refused : nil }) {
                context in
                try await carrier.book(context.input, key: context.key)
            }
        }
    }

    private func charge(_ order: Order, key: String) async throws {
        let request = ProviderRequest.ChargeRequest(
            key: key, order: order.id, amountMinor: order.amountMinor, currency: order.currency, card: order.card)
        let guarded = calls(honoursKeys ? .idempotent : .unproven)
        _ = try await guarded.run { try await provider.charge(request, timeout: Self.timeout) }
    }

    /// Giving back is safe to repeat at any provider: what was given back is not there to be given back again.
    private func refund(_ order: Order, key: String) async throws {
        let request = ProviderRequest.RefundRequest(key: key, order: order.id)
        _ = try await calls(.idempotent).run { try await provider.refund(request, timeout: Self.timeout) }
    }

    /// Back-off around the breaker that all calls share.
    private func calls(_ repeatability: Repeatability) -> some Policy {
        Pipeline {
            Retry(
                name: "provider", maxAttempts: 8,
                backoff: .exponential(initial: .milliseconds(10), maximum: .milliseconds(400)),
                repeatability: repeatability, classify: { $0 is ProviderDeclined ? .stop : .retry }, onEvent: onRetry)
            breaker
        }
    }
}
