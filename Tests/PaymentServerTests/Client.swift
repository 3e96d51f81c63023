// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@testable import payment_server

/// What a client got.
struct Answer: Equatable {
    let status: Int
    /// The fields, by their names in lower case.
    let fields: [String: String]
    let body: String
}

/// A plain client of HTTP/1.1: many connections at once, on each its requests one right behind the other.
struct Client {
    struct TooSlow: Error {}

    fileprivate struct Connection {
        /// `nil` once it is closed.
        var socket: Descriptor?
        var unsent: ArraySlice<UInt8>
        /// The requests that have no answer, in their order.
        var waiting: ArraySlice<Int>
        var received: [UInt8] = []
    }

    private var connections: [Connection]
    private(set) var answers: [Answer?]

    /// Sends the requests and gives what was answered to each; `nil` where the connection broke before.
    ///
    /// - Parameter progress: Told how many answers have come, and 0 when everything is sent.
    static func send(
        _ requests: [[UInt8]], to port: UInt16, connections: Int, progress: (Int) -> Void = { _ in }
    ) throws -> [Answer?] {
        var client = try Client(requests, port, connections: min(connections, requests.count))
        try client.run(progress)
        return client.answers
    }

    private init(_ requests: [[UInt8]], _ port: UInt16, connections count: Int) throws {
        answers = Array(repeating: nil, count: requests.count)
        connections = try (0..<count).map { first in
            let own = Array(stride(from: first, to: requests.count, by: count))
            return Connection(
                socket: try Loopback.connect(port: port), unsent: own.flatMap { requests[$0] }[...], waiting: own[...])
        }
    }

    private mutating func run(_ progress: (Int) -> Void) throws {
        var (isSent, count) = (false, 0)
        while connections.contains(where: { $0.socket != nil }) {
            var polled = connections.map { connection in
                pollfd(
                    fd: connection.socket?.raw ?? -1,
                    events: Int16(POLLIN | (connection.unsent.isEmpty ? 0 : POLLOUT)), revents: 0)
            }
            guard unsafe poll(&polled, nfds_t(polled.count), 60_000) > 0 else { throw TooSlow() }
            for index in connections.indices where polled[index].revents != 0 {
                for answer in connections[index].proceed(polled[index].revents) {
                    answers[answer.0] = answer.1
                    count += 1
                    progress(count)
                }
            }
            if !isSent, connections.allSatisfy({ $0.unsent.isEmpty || $0.socket == nil }) {
                isSent = true
                progress(0)
            }
        }
    }
}

extension Client.Connection {
    fileprivate mutating func proceed(_ events: Int16) -> [(Int, Answer)] {
        var answers: [(Int, Answer)] = []
        guard let open = socket else { return answers }
        do throws(SystemError) {
            if events & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
                let bytes = try open.read(upTo: 1 << 16)
                received += bytes
                while let answer = nextAnswer(), let index = waiting.popFirst() { answers.append((index, answer)) }
                if bytes.isEmpty || waiting.isEmpty { socket = nil }
            }
            if socket != nil, !unsent.isEmpty { unsent = unsent.dropFirst(try Loopback.send(unsent, to: open)) }
        } catch {
            socket = nil
        }
        return answers
    }

    private mutating func nextAnswer() -> Answer? {
        let text = String(decoding: received, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let pairs = lines.dropFirst().map { $0.split(separator: ": ", maxSplits: 1).map(String.init) }
        let fields = Dictionary(pairs.map { ($0[0].lowercased(), $0[1]) }) { first, _ in first }
        // Everything that this server sends is ASCII.
        let body = text[end.upperBound...].utf8
        guard let length = fields["content-length"].flatMap({ Int($0) }), body.count >= length,
            let status = Int(lines[0].split(separator: " ")[1])
        else { return nil }
        received = Array(body.dropFirst(length))
        return Answer(status: status, fields: fields, body: String(decoding: body.prefix(length), as: UTF8.self))
    }
}
