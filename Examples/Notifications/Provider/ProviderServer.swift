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

/// A provider in a process of its own: reads a line, sends the message, answers with a line.
///
/// One request after the other, in the order in which they came. So what a killed client has left behind takes effect
/// before anything that its next life asks.
struct ProviderServer: ~Copyable {
    /// How long a client may take.
    private static let patience = 5

    private let socket: UnixSocket
    private let path: String
    private let file: FileHandle
    private var ledger: ProviderLedger

    init(socket path: String, ledger: String, faults: ProviderLedger.Faults) throws {
        let descriptor = unsafe open(ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemError.last("open \(ledger)") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        // One process at a time has the ledger, and with it the socket.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw SystemError.last("lock \(ledger)") }
        let sent = try SentMessage.cutOff(ledger, file)
        let socket = try UnixSocket.listen(at: path)
        self.file = file
        self.path = path
        self.ledger = ProviderLedger(faults, sent: sent)
        self.socket = socket
    }

    deinit { _ = unsafe unlink(path) }

    /// Serves until standard input ends, as it does when the parent process does.
    mutating func run() throws {
        while true {
            var polled = [STDIN_FILENO, socket.raw].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard unsafe poll(&polled, 2, -1) > 0 else { continue }
            if polled[0].revents != 0 { return }
            guard let connection = try? socket.accept(seconds: Self.patience), let line = connection.line(),
                let message = try? JSONDecoder().decode(SentMessage.self, from: Data(line))
            else { continue }
            switch ledger.decide(message) {
            case .refuse: try? connection.send(Array("refused".utf8))
            case .alreadySent: try? connection.send(Array("sent".utf8))
            case .send(let isAnswerLost):
                // After a failure nobody knows what is in the ledger, so the provider ends.
                try file.write(contentsOf: try JSONEncoder().encode(message) + [0x0A])
                try file.synchronize()
                ledger.add(message)
                if !isAnswerLost { try? connection.send(Array("sent".utf8)) }
            }
        }
    }
}
