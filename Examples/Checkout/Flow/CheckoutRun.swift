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

/// A whole run: takes in the orders, has them carried out, and shows what the ledger and the stores say at the end.
struct CheckoutRun {
    let options: RunOptions

    /// - Throws: a ``Failure`` if the run cannot start or breaks off, or if a count that must be zero is not.
    func run(write: (String) throws -> Void) async throws {
        // First, and with the signals as they are: while standard input is slow, there is nothing to clean up yet.
        let orders = try OrderReader.bytes(of: options.input ?? .bundled())
        let signals = try StopSignals.install()
        let temporary = options.directory == nil ? try TemporaryDirectory() : nil
        defer { temporary?.remove() }
        let place = Workplace(directory: options.directory ?? temporary?.path ?? ".")
        let lock = try place.prepare()
        try place.take(orders)
        let lines = try read(place.orders)
        var supervisor = Supervisor(options, place, lineCount: lines.count, signals: signals)
        try supervisor.run()
        let audit = try await audit(lines, place)
        try write(
            audit.table(
                crashes: supervisor.crashes, recovered: supervisor.recovered, retried: supervisor.retried))
        _ = consume lock
        guard audit.isSound else { throw Failure("the books do not add up", exitCode: .failed) }
    }

    /// Reads all lines once, and tells on standard error which are malformed and why.
    private func read(_ path: String) throws(Failure) -> [OrderLine] {
        let reader = try OrderReader(.file(path))
        var lines: [OrderLine] = []
        while let line = try reader.next() {
            lines.append(line)
            if case .malformed(let malformed) = line {
                // If standard error is closed, the letter in the dead-letter queue still says so.
                try? Descriptor.write(STDERR_FILENO, Array("checkout: \(malformed)\n".utf8))
            }
        }
        return lines
    }

    private func audit(_ lines: [OrderLine], _ place: Workplace) async throws -> Audit {
        let ledger = try LedgerFile.read(place.ledger)
        do {
            let store = try FileRecordStore(directory: place.records)
            let audit = try await Audit(lines, ledger: ledger, store: store)
            try await store.close()
            return audit
        } catch let error as FileStoreError {
            throw Failure("cannot open the store: \(error)", exitCode: .cannotStart)
        }
    }
}
