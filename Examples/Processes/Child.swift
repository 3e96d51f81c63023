// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

// Processes, their pipes, and threads that may block.
internal import Foundation

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// This program once more, in a process of its own that ends when its standard input does: with this one at the latest.
package final class Child {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest: [UInt8] = []

    package init(_ words: [String]) throws {
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
    package func line() -> String? {
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
    package func kill() {
        _ = systemKill(identifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Ends its input, and waits until it has ended.
    package func stop() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Waits for its end, and requires that it ended by itself and well.
    ///
    /// - Parameter name: What the failure calls it.
    package func requireSuccess(_ name: String) throws(Failure) {
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw Failure(description: "the \(name) ended with \(process.terminationStatus)")
        }
    }
}

private func systemKill(_ process: pid_t, _ signal: Int32) -> Int32 { kill(process, signal) }

/// Ends this process when its standard input ends.
package func exitWithParent() {
    // The read blocks for as long as the parent lives, and no thread that runs tasks may do that.
    DispatchQueue.global().async {
        while let data = try? FileHandle.standardInput.read(upToCount: 1), !data.isEmpty {}
        exit(1)
    }
}

/// A line on standard output, at once.
package func tell(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// Something that went wrong, for whoever runs the program.
package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}
