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

/// What one line of the input came to.
enum OrderLine: Equatable, Sendable {
    case order(Order, line: Int)
    case malformed(MalformedLine)
}

/// A line that is not an order.
struct MalformedLine: Equatable, Sendable, CustomStringConvertible {
    /// Its number, counted from one.
    let line: Int
    /// What is wrong with it.
    let problem: OrderProblem
    /// Its first bytes, at most ``LineSplitter/prefixLength``.
    let beginning: [UInt8]
    /// Its size in bytes.
    let size: Int

    var description: String { "line \(line): \(problem)" }
}

/// Reads orders from a file or from standard input, line by line.
///
/// It holds one line at a time: an input of any size, also one without a line feed, needs no more memory than
/// ``lineLimit`` and one read; ``bytes(of:)`` alone holds all of it. Lines of white space alone are skipped but
/// counted. Both block while standard input has nothing to read, so call them where that is fine.
final class OrderReader {
    /// The longest line that is looked at, in bytes.
    static let lineLimit = 16 * 1024

    private let source: Descriptor
    private let name: String
    private var lines = LineSplitter(limit: OrderReader.lineLimit)
    private var lineNumber = 0
    private var atEnd = false

    /// Opens the input.
    ///
    /// - Throws: a ``Failure`` with its path and what the system says about it.
    init(_ input: OrderInput) throws(Failure) {
        switch input {
        case .standardInput:
            name = "standard input"
            let copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { throw Self.unreadable(name, .last("fcntl")) }
            source = Descriptor(owning: copy)
        case .file(let path):
            name = path
            do {
                source = try Descriptor.open(path, O_RDONLY)
            } catch {
                throw Self.unreadable(name, error)
            }
        }
    }

    /// The whole input as it is.
    ///
    /// - Throws: a ``Failure`` with its path and what the system says about it.
    static func bytes(of input: OrderInput) throws(Failure) -> [UInt8] {
        let reader = try OrderReader(input)
        var bytes: [UInt8] = []
        do {
            while true {
                let more = try reader.source.read(upTo: 1 << 20)
                if more.isEmpty { return bytes }
                bytes += more
            }
        } catch {
            throw unreadable(reader.name, error)
        }
    }

    /// The next order or malformed line, or `nil` at the end of the input.
    ///
    /// - Throws: if the input cannot be read further.
    func next() throws(Failure) -> OrderLine? {
        while let line = try nextLine() {
            lineNumber += 1
            switch line {
            case .whole(let bytes):
                if bytes.allSatisfy(Self.isBlank) { continue }
                return parse(bytes)
            case .oversized(let prefix, let size):
                let problem = OrderProblem.lineTooLong(bytes: size, limit: Self.lineLimit)
                return .malformed(MalformedLine(line: lineNumber, problem: problem, beginning: prefix, size: size))
            }
        }
        return nil
    }

    private func nextLine() throws(Failure) -> LineSplitter.Line? {
        while true {
            if let line = lines.next() { return line }
            if atEnd { return lines.finish() }
            do {
                let bytes = try source.read(upTo: 64 * 1024)
                atEnd = bytes.isEmpty
                lines.append(bytes)
            } catch {
                throw Self.unreadable(name, error)
            }
        }
    }

    private func parse(_ bytes: [UInt8]) -> OrderLine {
        do {
            return .order(try Order.parse(bytes), line: lineNumber)
        } catch {
            let beginning = Array(bytes.prefix(LineSplitter.prefixLength))
            return .malformed(
                MalformedLine(line: lineNumber, problem: error, beginning: beginning, size: bytes.count))
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func unreadable(_ name: String, _ error: SystemError) -> Failure {
        Failure("cannot read orders: \(name): \(error.reason)", exitCode: .cannotStart)
    }
}
