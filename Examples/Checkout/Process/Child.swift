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

/// A child process whose standard output is read here line by line.
///
/// Its standard input and output are one socket to this process. When this process ends, however it ends, the child's
/// standard input comes to its end, and a child that watches for that (``ParentWatch``, and the provider by itself)
/// ends too. Standard error is this process's own. A child that is no longer referred to is killed and waited for, so
/// that none is left behind, not even as a zombie.
///
/// Keep it in use until ``wait()``. For one thread at a time. No call but ``nextLine(timeout:)`` and ``wait()`` blocks.
final class Child {
    enum Output: Equatable {
        case line(String)
        /// No whole line came within the time.
        case timedOut
        /// The child has closed its output: it has ended, or is about to.
        case ended
    }

    /// How a process ended.
    enum Exit: Equatable, Sendable {
        case status(Int32)
        case signal(Int32)
    }

    /// The longest line that is read whole; the rest of a longer one is dropped.
    private static let lineLimit = 64 * 1024

    let identifier: pid_t
    private let socket: Descriptor
    private var lines = LineSplitter(limit: Child.lineLimit)
    private var outputEnded = false
    private var exit: Exit?

    /// Starts a program, this one if none is named.
    init(executable: String = Executable.path, arguments: [String]) throws(SystemError) {
        let (ours, theirs) = try UnixSocket.pair()
        socket = Descriptor(owning: ours)
        let handedOver = Descriptor(owning: theirs)
        identifier = try spawn(executable, arguments, standardStreams: handedOver)
        try UnixSocket.makeNonBlocking(socket)
    }

    deinit {
        kill()
        _ = wait()
    }

    /// Waits for the next line of the child's standard output.
    func nextLine(timeout: Duration) throws(SystemError) -> Output {
        let time = TimeSource(ContinuousClock())
        let timeout = timeout.nanosecondsRoundedUp
        while true {
            if let line = lines.next() { return .line(Self.text(line)) }
            if outputEnded { return lines.finish().map { .line(Self.text($0)) } ?? .ended }
            var polled = pollfd(fd: socket.raw, events: Int16(POLLIN), revents: 0)
            let milliseconds = (max(0, timeout - time.now()) + 999_999) / 1_000_000
            let ready = unsafe poll(&polled, 1, Int32(clamping: milliseconds))
            if ready > 0 {
                try readSome()
            } else if ready == 0 {
                if time.now() >= timeout { return .timedOut }
            } else if errno != EINTR {
                throw .last("poll")
            }
        }
    }

    /// Tells the child that nothing more comes on its standard input, which asks it to end.
    func closeInput() {
        // Fails only if the child has gone already, and then there is nobody to tell.
        _ = shutdown(socket.raw, Int32(SHUT_WR))
    }

    /// Ends the child at once, with SIGKILL; does nothing if it has ended.
    func kill() {
        // Until it is waited for, the child keeps its number, so this cannot reach another process.
        if exit == nil { _ = systemKill(identifier, SIGKILL) }
    }

    /// Waits for the child's end and says how it ended.
    func wait() -> Exit {
        if let exit { return exit }
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0 {
            guard errno == EINTR else { preconditionFailure("\(SystemError.last("waitpid"))") }
        }
        // The macros WIFSIGNALED and WEXITSTATUS are not there in Swift.
        let signal = status & 0x7F
        let result: Exit = signal == 0 ? .status((status >> 8) & 0xFF) : .signal(signal)
        exit = result
        return result
    }

    private func readSome() throws(SystemError) {
        do {
            let bytes = try socket.read(upTo: 64 * 1024)
            outputEnded = bytes.isEmpty
            lines.append(bytes)
        } catch  where error.code == ECONNRESET {
            // The child ended without having read all of its input.
            outputEnded = true
        }
    }

    private static func text(_ line: LineSplitter.Line) -> String {
        switch line {
        case .whole(let bytes), .oversized(let bytes, _): String(decoding: bytes, as: UTF8.self)
        }
    }
}
