// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

internal import Reliability

/// Talks to the payment provider.
///
/// Each call connects, sends one request and waits for one answer, on a thread that may block. Its timeout covers all
/// of that, from the wait for a free thread on.
///
/// A call that is cancelled before it starts throws `CancellationError` and sends nothing. Later it ignores
/// cancellation and ends within its timeout: what became of a charge is worth that little wait.
///
/// Every call throws ``ProviderRefused``, ``ProviderUnreachable`` or ``ProviderDeclined`` if nothing was done, and
/// ``ProviderOutcomeUnknown`` if that cannot be known.
struct ProviderClient: Sendable {
    private let socket: String
    private let threads: BlockingThreads

    /// A client for the provider that listens at the path; at most as many calls as there are threads are on their way.
    init(socket: String, threads: BlockingThreads) {
        self.socket = socket
        self.threads = threads
    }

    /// Takes the money for an order.
    func charge(_ request: ProviderRequest.ChargeRequest, timeout: Duration) async throws -> Receipt {
        guard case .charged(let receipt) = try await call(.charge(request), timeout) else {
            throw ProviderOutcomeUnknown(cause: .unreadableAnswer)
        }
        return receipt
    }

    /// Gives back what was taken for the order; returns the receipts given back, none if nothing was left to give back.
    @discardableResult
    func refund(_ request: ProviderRequest.RefundRequest, timeout: Duration) async throws -> [String] {
        guard case .refunded(let receipts) = try await call(.refund(request), timeout) else {
            throw ProviderOutcomeUnknown(cause: .unreadableAnswer)
        }
        return receipts
    }

    /// Asks what the provider knows about an order or a key. It is safe to ask again, whatever the error.
    func lookup(_ request: ProviderRequest.LookupRequest, timeout: Duration) async throws -> PaymentState {
        guard case .known(let state) = try await call(.lookup(request), timeout) else {
            throw ProviderOutcomeUnknown(cause: .unreadableAnswer)
        }
        return state
    }

    private func call(_ request: ProviderRequest, _ timeout: Duration) async throws -> ProviderAnswer {
        try Task.checkCancellation()
        let exchange = ProviderExchange(socket: socket, timeout: timeout)
        let line = try JSON.line(request)
        switch try await threads.run({ try exchange.perform(line) }) {
        case .refused(let milliseconds): throw ProviderRefused(retryAfter: .milliseconds(milliseconds))
        case .declined(let reason): throw ProviderDeclined(reason: reason)
        case let answer: return answer
        }
    }
}

/// One request and its answer, with system calls that block.
private struct ProviderExchange: Sendable {
    private let socket: String
    private let time = TimeSource(ContinuousClock())
    private let timeout: Int64

    /// The time starts now.
    init(socket: String, timeout: Duration) {
        self.socket = socket
        self.timeout = timeout.nanosecondsRoundedUp
    }

    private var remaining: Int64 { timeout - time.now() }

    func perform(_ line: [UInt8]) throws -> ProviderAnswer {
        let connection = try send(line)
        var lines = LineSplitter(limit: 64 * 1024)
        while true {
            try waitForAnswer(connection)
            guard let bytes = try? connection.read(upTo: 16 * 1024), !bytes.isEmpty else {
                throw ProviderOutcomeUnknown(cause: .connectionLost)
            }
            lines.append(bytes)
            switch lines.next() {
            case .whole(let line):
                guard let answer = try? JSON.decode(ProviderAnswer.self, from: line) else {
                    throw ProviderOutcomeUnknown(cause: .unreadableAnswer)
                }
                return answer
            case .oversized: throw ProviderOutcomeUnknown(cause: .unreadableAnswer)
            case nil: if lines.isOverLimit { throw ProviderOutcomeUnknown(cause: .unreadableAnswer) }
            }
        }
    }

    /// Connects and sends.
    ///
    /// Whatever fails here, the line feed at the end was not sent, and the provider acts on whole lines alone.
    private func send(_ line: [UInt8]) throws(ProviderUnreachable) -> Descriptor {
        guard remaining > 0 else { throw ProviderUnreachable(cause: .noThreadFree) }
        do {
            let connection = try UnixSocket.connect(to: socket, timeout: .nanoseconds(remaining))
            try UnixSocket.send(line, to: connection, timeout: .nanoseconds(max(1, remaining)))
            return connection
        } catch {
            throw ProviderUnreachable(cause: .system(error))
        }
    }

    private func waitForAnswer(_ connection: borrowing Descriptor) throws(ProviderOutcomeUnknown) {
        while true {
            var polled = pollfd(fd: connection.raw, events: Int16(POLLIN), revents: 0)
            let milliseconds = (max(0, remaining) + 999_999) / 1_000_000
            let ready = unsafe poll(&polled, 1, Int32(clamping: milliseconds))
            if ready > 0 { return }
            guard ready == 0 || errno == EINTR else { throw ProviderOutcomeUnknown(cause: .connectionLost) }
            if remaining <= 0 { throw ProviderOutcomeUnknown(cause: .timedOut) }
        }
    }
}
