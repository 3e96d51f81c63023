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
internal import RecordStores

/// A child process whose standard output is read here line by line.
///
/// Its standard input is a pipe that comes to its end when this process does, however that ends. A child that is no
/// longer referred to is killed and waited for. For one thread at a time.
final class Child {
    enum Output: Equatable {
        case line(String)
        /// No whole line came in time.
        case timedOut
        /// The child has closed its output; what was left of an unfinished line is dropped.
        case ended
    }

    let identifier: pid_t
    private let input: Descriptor
    private let output: Descriptor
    private var pending: [UInt8] = []
    private var start = 0
    private var outputEnded = false
    private var exit: Exit?

    init(_ words: [String]) throws(SystemError) {
        let inputPipe = try Descriptor.pipe()
        let theirInput = Descriptor(owning: inputPipe.readEnd)
        input = Descriptor(owning: inputPipe.writeEnd)
        let outputPipe = try Descriptor.pipe()
        output = Descriptor(owning: outputPipe.readEnd)
        let theirOutput = Descriptor(owning: outputPipe.writeEnd)
        identifier = try spawn(words, standardInput: theirInput.raw, standardOutput: theirOutput.raw)
    }

    deinit {
        kill()
        _ = wait()
    }

    /// Waits for the next line.
    func nextLine(until deadline: ContinuousClock.Instant) throws(SystemError) -> Output {
        while true {
            if let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return .line(String(decoding: pending[start..<end], as: UTF8.self))
            }
            if outputEnded { return .ended }
            pending.removeFirst(start)
            start = 0
            let left = max(0, ContinuousClock.now.duration(to: deadline).nanosecondsRoundedUp)
            var polled = pollfd(fd: output.raw, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&polled, 1, Int32(clamping: (left + 999_999) / 1_000_000))
            if ready > 0 {
                let bytes = try Descriptor.read(output.raw)
                outputEnded = bytes.isEmpty
                pending += bytes
            } else if ready == 0 {
                if ContinuousClock.now >= deadline { return .timedOut }
            } else if errno != EINTR {
                throw .last("poll")
            }
        }
    }

    /// Ends the child at once; does nothing if it has ended.
    func kill() {
        // Until it is waited for, the child keeps its number, so this cannot reach another process.
        if exit == nil { _ = systemKill(identifier, SIGKILL) }
    }

    /// Waits for the child's end and says how it ended.
    func wait() -> Exit {
        if let exit { return exit }
        let result = Exit.waiting(for: identifier)
        exit = result
        return result
    }
}

// The system's function, where the method of the same name hides it.
private func systemKill(_ identifier: pid_t, _ signal: Int32) -> Int32 { kill(identifier, signal) }
