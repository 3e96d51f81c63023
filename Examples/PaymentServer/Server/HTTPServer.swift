// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Idempotency
internal import Synchronization

/// A server of HTTP/1.1 on the loopback interface: requests come out of a sequence, answers go in.
///
/// One thread does everything with sockets (``Reactor``), and none waits for an answer, so requests can be handled by
/// tasks. Each connection has one request at a time in the sequence, and keeps its place until that has its answer, so
/// there are never more requests than places.
final class HTTPServer: Sendable {
    /// A request, and where its answer goes.
    struct Exchange: Sendable {
        let request: HTTPRequest
        fileprivate let connection: Int
    }

    /// The connections at a time of a process that may have so many files open: 512, or what is left beside those that
    /// it needs for the store, timers and pipes. Without them it would not go on.
    static func places(files: Int) -> Int { min(512, max(1, files - 64)) }

    /// The port that it listens at.
    let port: UInt16
    /// The requests; for one loop. Ends after a stop, when all have their answers.
    let requests: AsyncStream<Exchange>

    private let continuation: AsyncStream<Exchange>.Continuation
    /// Until the thread has it, which closes it at a stop.
    private let listener: Locked<Descriptor?>
    private let stops: [Descriptor]
    let connectionLimit: Int
    let clock: any Clock<Duration>
    private let answers = Locked<[(Int, HTTPResponseRecord)]>([])
    /// Becomes readable when an answer comes.
    let wake: Descriptor
    private let bell: Descriptor

    /// Listens at the port, or at a free one if that is 0. Clients that connect wait until ``start(_:)``.
    ///
    /// - Parameters:
    ///   - port: The port.
    ///   - connectionLimit: The most connections at a time. More wait in the listener's queue until one ends, or has
    ///     been idle for a while.
    ///   - stops: Descriptors whose end tells the server to stop.
    ///   - clock: Measures how long clients take.
    init(
        port: UInt16, connectionLimit: Int = places(files: Descriptor.limit), stops: [Descriptor],
        clock: any Clock<Duration> = ContinuousClock()
    ) throws(SystemError) {
        let (listener, port) = try Loopback.listen(port: port)
        self.listener = Locked(listener)
        self.port = port
        (wake, bell) = try Descriptor.pipe()
        try wake.makeNonBlocking()
        try bell.makeNonBlocking()
        self.connectionLimit = connectionLimit
        self.clock = clock
        self.stops = stops
        (requests, continuation) = AsyncStream.makeStream()
    }

    /// Starts the thread that serves.
    ///
    /// - Parameter onFailure: Told why the thread ended, if that was not a stop.
    func start(onFailure: @escaping @Sendable (SystemError) -> Void) {
        DispatchQueue(label: "http-server").async { [self] in
            var reactor = Reactor(self, listener.withLock { $0.take() }, stops)
            do throws(SystemError) { try reactor.run() } catch { onFailure(error) }
            continuation.finish()
        }
    }

    /// Answers a request.
    func answer(_ exchange: Exchange, with response: HTTPResponseRecord) {
        let isFirst = answers.withLock { answers in
            answers.append((exchange.connection, response))
            return answers.count == 1
        }
        // If the pipe is full, the thread will wake up anyway.
        if isFirst { try? bell.write([0]) }
    }

    func takeAnswers() -> [(Int, HTTPResponseRecord)] {
        answers.withLock { answers in
            defer { answers = [] }
            return answers
        }
    }

    func handOver(_ request: HTTPRequest, _ connection: Int) {
        continuation.yield(Exchange(request: request, connection: connection))
    }
}
