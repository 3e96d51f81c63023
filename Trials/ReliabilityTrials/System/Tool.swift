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

/// Programs of the system.
enum Tool {
    /// A program that ended with another status than 0.
    struct Failed: Error, CustomStringConvertible {
        let words: [String]
        let exit: Exit
        /// What it wrote.
        let output: String

        /// The last line of what it wrote, or else how it ended.
        var reason: String {
            let last = output.split(separator: "\n").last { !$0.allSatisfy(\.isWhitespace) }
            return last.map { String($0) } ?? "\(words[0]) ended with \(exit)"
        }

        var description: String { "\(words.joined(separator: " ")): \(exit): \(output)" }
    }

    /// Runs a program to its end and returns what it wrote.
    @discardableResult
    static func run(_ words: String...) throws -> String {
        let ends = try Descriptor.pipe()
        let readEnd = Descriptor(owning: ends.readEnd)
        let identifier: pid_t
        do {
            let writeEnd = Descriptor(owning: ends.writeEnd)
            let nothing = Descriptor(owning: unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
            identifier = try spawn(
                words, standardInput: nothing.raw, standardOutput: writeEnd.raw, standardError: writeEnd.raw)
        }
        var output: [UInt8] = []
        while case let bytes = try Descriptor.read(readEnd.raw), !bytes.isEmpty { output += bytes }
        let exit = Exit.waiting(for: identifier)
        let text = String(decoding: output, as: UTF8.self)
        guard exit == .status(0) else { throw Failed(words: words, exit: exit, output: text) }
        return text
    }

    /// This program, for running it once more.
    static var ownPath: String {
        #if canImport(Darwin)
        return CommandLine.arguments[0]
        #else
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard length > 0 else { return CommandLine.arguments[0] }
        return String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        #endif
    }
}
