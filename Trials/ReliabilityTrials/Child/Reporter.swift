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
internal import Synchronization

/// Tells the parent what happens, a line for each event, on standard output.
///
/// A pipe takes a write of up to 4,096 bytes as a whole, so no lock is needed, and what was written reaches the parent
/// also when the next instant kills this process.
struct Reporter: Sendable {
    private let numbers: Numbers

    private final class Numbers: Sendable {
        let next: Atomic<UInt64>
        init(first: UInt64) { next = Atomic(first) }
    }

    init(firstNumber: UInt64) { numbers = Numbers(first: firstNumber) }

    /// A number for a new operation.
    func newNumber() -> UInt64 { numbers.next.wrappingAdd(1, ordering: .relaxed).oldValue }

    func callAsFunction(_ event: Event) {
        let line = Array((event.line + "\n").utf8)
        precondition(line.count <= 4_096, "a report of \(line.count) bytes")
        // Without a parent nobody judges this run.
        guard (try? Descriptor.write(STDOUT_FILENO, line)) != nil else { exit(EXIT_FAILURE) }
    }
}

extension Reporter {
    /// Tells what the store told of on its own.
    func tell(_ event: FileStoreEvent) {
        switch event {
        case .compacted: callAsFunction(.compacted)
        case .roomAgain: break
        // Closing the store has ended a compaction: nothing of the system has failed.
        case .compactionFailed(let failure) where failure.code == 0: break
        case .failed(let failure): self(.told(ReportedError(.failed, failure)))
        case .full(let failure): self(.told(ReportedError(.full, failure)))
        case .compactionFailed(let failure): self(.told(ReportedError(.compactionFailed, failure)))
        }
    }
}

extension ReportedError {
    init(_ kind: Kind, _ failure: StoreFailure) { self.init(kind: kind, subject: failure.subject, text: "\(failure)") }

    init(_ error: StoreError) {
        switch error {
        case .refused: self.init(kind: .refused, text: "\(error)")
        case .full(let failure): self.init(kind: .full, subject: failure.subject, text: "\(error)")
        case .closed: self.init(kind: .closed, text: "\(error)")
        case .unavailable(let failure): self.init(kind: .unavailable, subject: failure.subject, text: "\(error)")
        case .outcomeUnknown(let failure): self.init(kind: .outcomeUnknown, subject: failure.subject, text: "\(error)")
        }
    }

    init(_ error: FileStoreError) {
        switch error {
        case .inUse(let directory, let pid):
            self.init(kind: .inUse, pid: pid, subject: directory, text: "\(error)")
        case .damaged(let file, _): self.init(kind: .damaged, subject: file, text: "\(error)")
        case .missing(let file): self.init(kind: .missing, subject: file, text: "\(error)")
        case .occupied(let directory): self.init(kind: .occupied, subject: directory, text: "\(error)")
        case .unsupportedFormat(let file, _): self.init(kind: .unsupportedFormat, subject: file, text: "\(error)")
        case .failed(let failure): self.init(kind: .failed, subject: failure.subject, text: "\(error)")
        }
    }
}
