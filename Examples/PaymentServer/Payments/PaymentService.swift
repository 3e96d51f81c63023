// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// What the server does: payments, each of them once, and a look at those that nobody knows the end of.
struct PaymentService: Sendable {
    private let payments: IdempotentOperation<HTTPResponseRecord>
    private let provider: PaymentProvider
    private let policy: HTTPIdempotencyPolicy

    /// - Parameters:
    ///   - store: Keeps the keys.
    ///   - provider: Charges.
    ///   - options: How long a duplicate waits, and whether the provider can be asked again.
    init(_ store: some RecordStore, _ provider: PaymentProvider, _ options: Options) {
        // A provider that recognises keys can be asked again: it charges once for each key, and each payment has
        // one. With one that does not, nobody can know, and the payment waits for a person.
        payments = IdempotentOperation(
            "payment", store: store, codec: .httpResponse,
            ifUnknown: options.isProviderForgetful ? .park : .reexecute,
            ifInFlight: options.wait > .zero ? .wait(upTo: options.wait) : .refuse)
        self.provider = provider
        var policy = HTTPIdempotencyPolicy()
        policy.keySyntax = .stringOrBare
        self.policy = policy
    }

    func respond(to request: HTTPRequest) async -> HTTPResponseRecord {
        do {
            return switch (request.path, request.method) {
            case ("/health", "GET"): try .json(200, ["status": "ok"])
            case ("/payments/unresolved", "GET"): try await unresolved(request)
            case ("/payments", "POST"): try await pay(request)
            case ("/health", _), ("/payments/unresolved", _):
                .problem(405, "The resource has the method GET.", HTTPFieldLine("Allow", "GET"))
            case ("/payments", _):
                .problem(405, "The resource has the method POST.", HTTPFieldLine("Allow", "POST"))
            default: .problem(404, "There is no such resource.")
            }
        } catch let error as StoreError {
            return policy.problem(for: error)?.response ?? .problem(503, "The store does not work.")
        } catch {
            return .problem(500, "The request was not answered; whether it took effect is not known.")
        }
    }

    private func pay(_ request: HTTPRequest) async throws -> HTTPResponseRecord {
        // What can never succeed is refused before a key is taken, so that the client may correct it under the same one.
        guard let payment = try? JSON.decode(Payment.self, from: request.body) else {
            return .problem(400, "The body must be JSON with account, amount and currency.")
        }
        if let problem = payment.problem { return .problem(400, problem) }
        let fingerprint = Fingerprint {
            $0.field("amount", payment.amount)
            $0.field("currency", payment.currency)
        }
        return try await payments.respond(
            keyLines: request.values(of: "Idempotency-Key"), tenant: payment.account, fingerprint: fingerprint,
            policy: policy
        ) { [provider] context in
            do {
                let receipt = try await provider.charge(payment, key: context.downstreamKey("charge"))
                return try .json(201, receipt, HTTPFieldLine("Location", "/payments/\(receipt.receipt)"))
            } catch {
                return .problem(502, "The provider did not say whether it charged the account.")
            }
        }
    }

    /// A payment that nobody knows the end of.
    private struct Unresolved: Encodable {
        var account: String
        var key: String
        var downstreamKey: String
        var attempt: Int
        var reason: String
    }

    private struct Page: Encodable {
        var unresolved: [Unresolved]
        /// The query parameter `after` of the next page; none on the last.
        var next: String?
    }

    /// A page of about a hundred.
    private func unresolved(_ request: HTTPRequest) async throws -> HTTPResponseRecord {
        var page = Page(unresolved: [])
        if let query = request.query {
            guard query.hasPrefix("after=") else { return .problem(400, "The only query parameter is after.") }
            page.next = String(query.dropFirst("after=".count))
        }
        do {
            repeat {
                let found = try await payments.unresolved(after: page.next.map { IdempotencyCursor($0) }, limit: 100)
                page.unresolved += found.executions.map { execution in
                    Unresolved(
                        account: execution.key.tenant, key: execution.key.key,
                        downstreamKey: execution.downstreamKey("charge"), attempt: execution.attempt,
                        reason: "\(execution.reason)")
                }
                page.next = found.next?.text
            } while page.next != nil && page.unresolved.count < 100
            return try .json(200, page)
        } catch StoreError.refused {
            return .problem(400, "The parameter after is not one of a page.")
        }
    }

    /// Frees the space of keys whose retention is over, until the task is cancelled.
    func purge(every interval: Duration) async {
        // The only error of the sleep is its cancellation.
        while (try? await Task.sleep(for: interval)) != nil {
            // A failure is one that the next request meets as well, and tells.
            while let purged = try? await payments.store.purge(limit: 1_000), purged == 1_000 {}
        }
    }
}
