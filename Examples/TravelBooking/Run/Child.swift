// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// This program once more, in a process of its own that ends when its standard input does: with this one at the latest.
final class Child {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest: [UInt8] = []

    init(_ words: [String]) throws {
        process.executableURL = Bundle.main.executableURL
        process.arguments = words
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // The child has its own; without this end the output ends with the child.
        try output.fileHandleForWriting.close()
    }

    var identifier: pid_t { process.processIdentifier }

    /// The next line of its output; `nil` once it has ended.
    func line() -> String? {
        while true {
            if let end = rest.firstIndex(of: 0x0A) {
                defer { rest.removeFirst(end + 1) }
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { return nil }
            rest += data
        }
    }

    /// Ends it with SIGKILL.
    func kill() {
        _ = systemKill(identifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Ends its input, and waits until it has ended.
    func stop() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Waits for its end, and requires that it ended by itself and well.
    func requireSuccess() throws(Failure) {
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw Failure(description: "the coordinator ended with \(process.terminationStatus)")
        }
    }
}

private func systemKill(_ process: pid_t, _ signal: Int32) -> Int32 { kill(process, signal) }

/// Ends this process when its standard input ends.
func exitWithParent() {
    // The read blocks for as long as the parent lives, and no thread that runs tasks may do that.
    DispatchQueue.global().async {
        while let data = try? FileHandle.standardInput.read(upToCount: 1), !data.isEmpty {}
        exit(1)
    }
}
