// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ExampleProcesses
internal import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// A desk in a process of its own: reads a line, does what it says, answers with a line; one request after the other.
struct DeskServer: ~Copyable {
    /// How long a client may take.
    private static let patience = 5

    private final class Peer: Sendable {
        let socket: UnixSocket
        init(_ socket: consuming UnixSocket) { self.socket = socket }
    }

    private enum Next: Sendable {
        case request(DeskRequest, Peer)
        case nothing
        /// Standard input has ended, as it does when the parent process does.
        case ended
    }

    private let listener: Peer
    private let path: String
    private var desk: Desk

    init(socket path: String, desk: Desk) throws {
        listener = Peer(try UnixSocket.listen(at: path))
        self.path = path
        self.desk = desk
    }

    deinit { _ = unsafe unlink(path) }

    /// Serves until standard input ends. After a failure of its store the desk ends, and another process goes on.
    mutating func run() async throws {
        while true {
            let listener = listener
            switch await onThread({ Self.next(listener) }) {
            case .ended: return
            case .nothing: continue
            case .request(let request, let peer):
                guard let answer = try await desk.answer(request) else { continue }
                await onThread { try? peer.socket.send(Array(answer.rawValue.utf8)) }
            }
        }
    }

    private static func next(_ listener: Peer) -> Next {
        var polled = [STDIN_FILENO, listener.socket.raw].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard unsafe poll(&polled, 2, -1) > 0 else { return .nothing }
        if polled[0].revents != 0 { return .ended }
        guard let socket = try? listener.socket.accept(seconds: patience) else { return .nothing }
        let peer = Peer(socket)
        guard let line = peer.socket.line(), let request = try? JSONDecoder().decode(DeskRequest.self, from: Data(line))
        else { return .nothing }
        return .request(request, peer)
    }
}

/// Asks a desk.
struct DeskClient: Sendable {
    private static let seconds = 5

    let socket: String

    func ask(_ request: DeskRequest) async -> DeskReply {
        let socket = socket
        return await onThread {
            guard let line = try? JSONEncoder().encode(request),
                let connection = try? UnixSocket.connect(to: socket, seconds: Self.seconds),
                // A line without its end is no request.
                (try? connection.send(Array(line))) != nil
            else { return .unreachable }
            let answer = connection.line().flatMap { DeskAnswer(rawValue: String(decoding: $0, as: UTF8.self)) }
            return answer.map { .answered($0) } ?? .lost
        }
    }
}
