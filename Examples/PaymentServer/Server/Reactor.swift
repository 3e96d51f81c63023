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

internal import Idempotency

/// The one thread that listens, reads and writes: `poll` over all connections. For that thread alone.
struct Reactor {
    /// For how long nobody is let in when the system has no descriptor left.
    private static let acceptPause = Duration.milliseconds(100)

    private let server: HTTPServer
    private let connectionLimit: Int
    private let stops: [Descriptor]
    private var listener: Descriptor?
    private var connections: [Int: Connection] = [:]
    private var connectionsSoFar = 0
    private var acceptAgainAt: Int64?
    private let time = TimeSource(ContinuousClock())

    init(_ server: HTTPServer, _ listener: Descriptor?, _ connectionLimit: Int, _ stops: [Descriptor]) {
        self.server = server
        self.connectionLimit = connectionLimit
        self.listener = listener
        self.stops = stops
    }

    /// Serves until one of `stops` comes to its end and every request that had begun to come has its answer.
    mutating func run() throws(SystemError) {
        while listener != nil || !connections.isEmpty {
            let open = Array(connections)
            let own = [listener.map { acceptAgainAt == nil && hasRoom ? $0.raw : -1 } ?? -1, server.wake.raw]
            let stops = listener == nil ? [] : self.stops.map(\.raw)
            var polled = (own + stops).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let firstConnection = polled.count
            polled += open.map(\.value.polled)
            guard unsafe poll(&polled, nfds_t(polled.count), timeout()) >= 0 || errno == EINTR else {
                throw .last("poll")
            }
            let now = time.now()
            if polled[1].revents != 0 {
                _ = try server.wake.read(upTo: 4_096)
                for (identifier, response) in server.takeAnswers() {
                    if let request = connections[identifier]?.answer(response, now: now) {
                        server.handOver(request, identifier)
                    }
                }
            }
            for (index, (identifier, connection)) in open.enumerated() {
                if let request = connection.proceed(polled[firstConnection + index].revents, now: now) {
                    server.handOver(request, identifier)
                }
            }
            try accept(now)
            if try stopped(polled[own.count..<firstConnection]) {
                listener = nil
                for connection in connections.values { connection.drain() }
            }
            connections = connections.filter(\.value.isOpen)
        }
    }

    private var hasRoom: Bool { connections.count < connectionLimit }

    /// The milliseconds until something expires; -1 for ever.
    private func timeout() -> Int32 {
        let deadlines = connections.values.compactMap(\.deadline) + [acceptAgainAt].compactMap { $0 }
        guard let next = deadlines.min() else { return -1 }
        return Int32(clamping: (max(0, next - time.now()) + 999_999) / 1_000_000)
    }

    private mutating func accept(_ now: Int64) throws(SystemError) {
        if let again = acceptAgainAt, again <= now { acceptAgainAt = nil }
        guard let listener, acceptAgainAt == nil else { return }
        do {
            while hasRoom, let socket = try Loopback.accept(from: listener) {
                connectionsSoFar += 1
                connections[connectionsSoFar] = Connection(socket, now: now)
            }
        } catch {
            guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.code) else { throw error }
            acceptAgainAt = now + Self.acceptPause.nanosecondsRoundedUp
        }
    }

    /// Whether a stop has come to its end; what comes before the end is dropped.
    private func stopped(_ polled: ArraySlice<pollfd>) throws(SystemError) -> Bool {
        for (stop, event) in zip(stops, polled) where event.revents != 0 {
            if try stop.read(upTo: 4_096).isEmpty { return true }
        }
        return false
    }
}
