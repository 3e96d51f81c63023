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

/// The payment provider: a Unix-domain socket in front of a ledger.
///
/// A client connects, sends one line and gets one line back. One thread does everything, with `poll`: requests take
/// effect one after the other, in the order in which their connections were made, and nothing is shared. So a
/// request that a killed client left behind takes effect before any request of the client's next life.
struct ProviderServer: ~Copyable {
    struct Settings: Equatable, Sendable {
        let socket: String
        let ledger: String
        var honoursKeys = true
        var faults = FaultPlan(seed: 1, rates: .usual)
    }

    /// The most connections at a time; more wait in the listener's queue.
    private static let connectionLimit = 128

    private let settings: Settings
    private let file: LedgerFile
    private let listener: Descriptor
    private var ledger: ProviderLedger
    private var connections: [ProviderConnection] = []
    /// Requests so far, by what they are about: as many entries as there are orders, times what is asked of each.
    private var attempts: [String: Int] = [:]

    /// Opens the ledger and listens.
    ///
    /// - Throws: a ``Failure`` if the ledger or the socket's path is unusable or in use.
    init(_ settings: Settings) throws(Failure) {
        var ledger = ProviderLedger(honoursKeys: settings.honoursKeys)
        let file = try LedgerFile(opening: settings.ledger) { ledger.apply($0) }
        let listener: Descriptor
        do {
            listener = try UnixSocket.listen(at: settings.socket)
        } catch {
            let reason = error.code == EADDRINUSE ? "in use by another process" : error.reason
            throw Failure("cannot listen: \(settings.socket): \(reason)", exitCode: .cannotStart)
        }
        self.settings = settings
        self.file = file
        self.listener = listener
        self.ledger = ledger
    }

    deinit { _ = unsafe unlink(settings.socket) }

    /// Answers requests until one of the descriptors comes to its end: standard input when the parent process ends, a
    /// pipe that a signal closes.
    ///
    /// - Throws: a ``Failure`` if the ledger cannot be written; nothing may be answered then.
    mutating func run(untilEndOf stops: [Int32]) throws(Failure) {
        while true {
            var polled = stops.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let hasRoom = connections.count < Self.connectionLimit
            polled.append(pollfd(fd: hasRoom ? listener.raw : -1, events: Int16(POLLIN), revents: 0))
            polled += connections.map(\.polled)
            let timeout = connections.compactMap { $0.milliseconds }.min() ?? -1
            let ready = unsafe poll(&polled, nfds_t(polled.count), timeout)
            guard ready >= 0 || errno == EINTR else {
                throw Failure("cannot wait for requests: \(SystemError.last("poll").reason)", exitCode: .failed)
            }
            guard ready >= 0 else { continue }
            for (index, stop) in stops.enumerated() where polled[index].revents != 0 {
                if ((try? Descriptor.read(stop, upTo: 4_096)) ?? []).isEmpty { return }
            }
            for (index, connection) in connections.enumerated() {
                if connection.takeEvents(polled[stops.count + 1 + index].revents), let line = connection.receive() {
                    connection.perform(try handle(line))
                }
                connection.actIfDue()
            }
            connections.removeAll(where: \.isDone)
            while connections.count < Self.connectionLimit, let accepted = UnixSocket.accept(from: listener) {
                connections.append(ProviderConnection(accepted))
            }
        }
    }

    /// Lets the request take effect, and says what to do with the connection.
    private mutating func handle(_ line: [UInt8]) throws(Failure) -> ProviderConnection.Reply {
        guard let request = try? JSON.decode(ProviderRequest.self, from: line) else {
            return .send(.declined(reason: .badRequest), afterMilliseconds: 0)
        }
        let attempt = attempts[request.subject, default: 0] + 1
        attempts[request.subject] = attempt
        switch settings.faults.fault(for: request.subject, attempt: attempt) {
        case .none: return .send(try perform(request), afterMilliseconds: 0)
        case .refuse(let milliseconds):
            return .send(.refused(retryAfterMilliseconds: milliseconds), afterMilliseconds: 0)
        case .answerLate(let milliseconds): return .send(try perform(request), afterMilliseconds: milliseconds)
        case .silent: return .nothing
        case .silentAfterwards:
            _ = try perform(request)
            return .nothing
        case .loseReply:
            _ = try perform(request)
            return .close
        }
    }

    private mutating func perform(_ request: ProviderRequest) throws(Failure) -> ProviderAnswer {
        switch ledger.decide(request) {
        case .answer(let answer): return answer
        case .record(let entry, let answer):
            try file.append(entry)
            ledger.apply(entry)
            return answer
        }
    }
}
