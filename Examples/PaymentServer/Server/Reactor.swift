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
    private let stops: [Descriptor]
    private var listener: Descriptor?
    private var connections: [Int: Connection] = [:]
    private var connectionsSoFar = 0
    private var acceptAgainAt: Int64?
    private let time: TimeSource

    init(_ server: HTTPServer, _ listener: Descriptor?, _ stops: [Descriptor]) {
        self.server = server
        self.listener = listener
        self.stops = stops
        time = TimeSource(server.clock)
    }

    /// Serves until one of `stops` comes to its end and every request that had begun to come has its answer.
    mutating func run() throws(SystemError) {
        while listener != nil || !connections.isEmpty {
            let open = Array(connections)
            let before = time.now()
            let own = [letsIn(before) ? listener?.raw ?? -1 : -1, server.wake.raw]
            let stops = listener == nil ? [] : self.stops.map(\.raw)
            var polled = (own + stops).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let firstConnection = polled.count
            polled += open.map(\.value.polled)
            guard unsafe poll(&polled, nfds_t(polled.count), timeout(before)) >= 0 || errno == EINTR else {
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
            connections = connections.filter(\.value.isInUse)
            if polled[0].revents != 0 { try accept(now) }
            if try stopped(polled[own.count..<firstConnection]) {
                listener = nil
                for connection in connections.values { connection.drain() }
                connections = connections.filter(\.value.isInUse)
            }
        }
    }

    private var hasRoom: Bool { connections.count < server.connectionLimit }

    /// Whether there is a place for who wants to come in, or will be if another one has to go.
    private mutating func letsIn(_ now: Int64) -> Bool {
        if let again = acceptAgainAt, again <= now { acceptAgainAt = nil }
        return acceptAgainAt == nil && (hasRoom || idlest(now) != nil)
    }

    /// The milliseconds until something expires, or may have to go; -1 for ever.
    private func timeout(_ now: Int64) -> Int32 {
        var times = connections.values.compactMap(\.deadline) + [acceptAgainAt].compactMap { $0 }
        if !hasRoom, listener != nil { times += connections.values.compactMap(\.yieldsAt).filter { $0 > now } }
        guard let next = times.min() else { return -1 }
        return Int32(clamping: (max(0, next - now) + 999_999) / 1_000_000)
    }

    private mutating func accept(_ now: Int64) throws(SystemError) {
        guard let listener else { return }
        do {
            while hasRoom || idlest(now) != nil, let socket = try Loopback.accept(from: listener) {
                if !hasRoom { letGo(idlest(now)) }
                connectionsSoFar += 1
                connections[connectionsSoFar] = Connection(socket, now: now)
            }
        } catch {
            guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.code) else { throw error }
            guard let idlest = idlest(now) else {
                acceptAgainAt = now + Self.acceptPause.nanosecondsRoundedUp
                return
            }
            letGo(idlest)
        }
    }

    /// The connection whose client has kept the server waiting longest, if that is so long that it may have to go.
    private func idlest(_ now: Int64) -> Int? {
        let waiting = connections.compactMap { identifier, connection in
            connection.yieldsAt.map { (identifier: identifier, yieldsAt: $0) }
        }
        guard let first = waiting.min(by: { $0.yieldsAt < $1.yieldsAt }), first.yieldsAt <= now else { return nil }
        return first.identifier
    }

    private mutating func letGo(_ identifier: Int?) {
        guard let identifier else { return }
        connections.removeValue(forKey: identifier)?.close()
    }

    /// Whether a stop has come to its end; what comes before the end is dropped.
    private func stopped(_ polled: ArraySlice<pollfd>) throws(SystemError) -> Bool {
        for (stop, event) in zip(stops, polled) where event.revents != 0 {
            if try stop.read(upTo: 4_096).isEmpty { return true }
        }
        return false
    }
}
