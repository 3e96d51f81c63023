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

/// Files and streams by their names on the command line.
enum Files {
    private static let chunk = 1 << 18

    /// Reads a log to its end.
    ///
    /// - Parameter body: Called with what was read, which is never empty.
    static func read(_ input: Options.Input, _ body: ([UInt8]) -> Void) throws(Refused) {
        switch input {
        case .standardInput: try read(STDIN_FILENO, "standard input", body)
        case .file(let path):
            let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .last("cannot read \(path)") }
            defer { close(descriptor) }
            try read(descriptor, path, body)
        }
    }

    private static func read(_ descriptor: Int32, _ name: String, _ body: ([UInt8]) -> Void) throws(Refused) {
        while true {
            var count = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: chunk) { buffer, initialized in
                count = unsafe system_read(descriptor, buffer.baseAddress, chunk)
                initialized = max(0, count)
            }
            if count > 0 {
                body(bytes)
            } else if count == 0 {
                return
            } else if errno != EINTR {
                throw .last("cannot read \(name)")
            }
        }
    }

    /// Writes a text to a file, in the place of what it has.
    static func write(_ text: String, to path: String) throws(Refused) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .last("cannot write \(path)") }
        defer { close(descriptor) }
        try write(text, descriptor, path)
    }

    static func print(_ text: String) throws(Refused) { try write(text, STDOUT_FILENO, "standard output") }

    private static func write(_ text: String, _ descriptor: Int32, _ name: String) throws(Refused) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe system_write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                throw .last("cannot write \(name)")
            }
        }
    }
}

// By other names than those of the functions that call them.
private func system_read(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(descriptor, buffer, count)
}

private func system_write(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, buffer, count)
}

extension Refused {
    /// What the system call that just failed was for, and why it failed.
    fileprivate static func last(_ what: String) -> Refused {
        Refused("\(what): \(unsafe String(cString: strerror(errno)))")
    }
}
