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

/// One client's connection to the provider: reads one line, answers or not, and is done.
final class ProviderConnection {
    /// What to do after the request.
    enum Reply {
        case send(ProviderAnswer, afterMilliseconds: Int)
        /// Leave the client waiting until it gives up.
        case nothing
        case close
    }

    private enum State {
        /// The request is not complete yet; the connection is closed if it takes too long.
        case reading(until: Int64)
        /// The answer is ready, but held back.
        case holding([UInt8], until: Int64)
        /// The client gets no answer; the connection is closed when it hangs up, or in the end.
        case ignoring(until: Int64)
        /// The connection can be dropped.
        case done
    }

    /// How long a client may take for its request, and is left waiting at the most.
    private static let patience: Int64 = 30_000_000_000

    private let socket: Descriptor
    private let time = TimeSource(ContinuousClock())
    private var lines = LineSplitter(limit: 64 * 1024)
    private var state = State.reading(until: ProviderConnection.patience)

    init(_ socket: consuming Descriptor) { self.socket = socket }

    var isDone: Bool {
        switch state {
        case .done: true
        case .reading, .holding, .ignoring: false
        }
    }

    /// What to wait for: the request, and without asking for it that the client hangs up.
    var polled: pollfd {
        switch state {
        case .reading: pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
        case .holding, .ignoring, .done: pollfd(fd: socket.raw, events: 0, revents: 0)
        }
    }

    /// How long until ``actIfDue()`` has something to do, rounded up.
    var milliseconds: Int32? {
        switch state {
        case .reading(let until), .holding(_, let until), .ignoring(let until):
            Int32(max(0, until - time.now() + 999_999) / 1_000_000)
        case .done: nil
        }
    }

    /// Whether there is something to read.
    func takeEvents(_ events: Int16) -> Bool {
        switch state {
        case .reading: return events != 0
        case .holding, .ignoring:
            // The client has gone: no answer can reach it.
            if events != 0 { state = .done }
            return false
        case .done: return false
        }
    }

    /// The request, once it has come completely. A client that hangs up before that, or sends too much, asked nothing.
    func receive() -> [UInt8]? {
        guard let bytes = try? socket.read(upTo: 16 * 1024), !bytes.isEmpty else {
            state = .done
            return nil
        }
        lines.append(bytes)
        switch lines.next() {
        case .whole(let line): return line
        case .oversized: state = .done
        case nil: if lines.isOverLimit { state = .done }
        }
        return nil
    }

    func perform(_ reply: Reply) {
        switch reply {
        case .send(let answer, let milliseconds):
            guard let line = try? JSON.line(answer) else { preconditionFailure("\(answer) has no JSON form") }
            state = .holding(line, until: time.now() + Int64(milliseconds) * 1_000_000)
        case .nothing: state = .ignoring(until: time.now() + Self.patience)
        case .close: state = .done
        }
    }

    /// Sends the answer if it is time, and gives up on a connection that has lasted too long.
    func actIfDue() {
        let now = time.now()
        switch state {
        case .holding(let line, let until):
            guard now >= until else { return }
            // An answer fits into the socket's empty buffer. If the client has gone, it does not matter.
            _ = UnixSocket.sendOnce(line[...], to: socket)
            state = .done
        case .reading(let until), .ignoring(let until):
            if now >= until { state = .done }
        case .done: return
        }
    }
}
