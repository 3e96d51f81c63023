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

/// A line of the provider's ledger: a charge that took place.
struct LedgerLine: Codable, Equatable, Sendable {
    /// The idempotency key that the provider was called with.
    var key: String
    var receipt: Receipt
}

/// The provider's ledger on the disk: JSON Lines, one charge a line, only ever appended to.
final class LedgerFile {
    private let file: Descriptor
    private var isBroken = false

    /// Opens the ledger, or makes an empty one, and hands over its lines from the oldest on.
    ///
    /// A last line that was not written to its end is cut off: nobody was told of it. One process at a time may use
    /// it; who holds the directory's record store is that one.
    init(_ path: String, _ take: (LedgerLine) -> Void) throws {
        file = try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND)
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(upTo: 1 << 20)
            if more.isEmpty { break }
            bytes += more
        }
        let whole = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        for line in bytes[..<whole].split(separator: UInt8(ascii: "\n")) {
            take(try JSON.decode(LedgerLine.self, from: Array(line)))
        }
        guard ftruncate(file.raw, off_t(whole)) == 0 else { throw SystemError.last("ftruncate") }
        // The file's name is to survive as well as what is in it.
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        try Descriptor.open(directory, O_RDONLY | O_DIRECTORY).synchronize()
    }

    /// Appends a line, and returns when it is on the disk.
    ///
    /// After a failure nobody knows what is there, so nothing more is written.
    func append(_ line: LedgerLine) throws {
        guard !isBroken else { throw ProviderUnavailable() }
        do {
            try file.write(JSON.encode(line) + [UInt8(ascii: "\n")])
            try file.synchronize()
        } catch {
            isBroken = true
            throw error
        }
    }
}

/// The provider takes no charges any more.
struct ProviderUnavailable: Error {}
