// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import Synchronization

/// The least that a group commit does: one thread writes and syncs the bytes that have gathered, and resumes the tasks
/// that wait for them. It knows no records.
final class BareCommitter: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var waiters: [CheckedContinuation<Bool, Never>] = []
        var isEnding = false
        var finisher: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())
    private let parker = Parker()

    /// Starts the thread on a file that has zeros for so many bytes.
    init(_ path: String, room: Int) throws {
        let file = try SystemFileSystem().open(path, isNew: true)
        for offset in stride(from: 0, to: room, by: 4_096) {
            try file.write([UInt8](repeating: 0, count: 4_096), at: offset)
        }
        try file.sync()
        guard startOwnThread({ [self] in run(file) }) else { throw SystemCallFailed("start a thread for", path) }
    }

    /// Appends bytes with a checksum; `true` once they are on the medium.
    func append(_ bytes: [UInt8]) async -> Bool {
        var checksum = CRC32C()
        checksum.add(bytes[...])
        let value = checksum.value
        return await withCheckedContinuation { continuation in
            state.withLock { state in
                state.bytes.append(contentsOf: bytes)
                for shift in stride(from: UInt32(0), to: 32, by: 8) {
                    state.bytes.append(UInt8(truncatingIfNeeded: value >> shift))
                }
                state.waiters.append(continuation)
            }
            parker.wake()
        }
    }

    /// Ends the thread.
    func end() async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                state.isEnding = true
                state.finisher = continuation
            }
            parker.wake()
        }
    }

    private func run(_ file: any WritableFile) {
        var offset = 0
        while true {
            let (bytes, waiters, finisher) = state.withLock { state in
                defer { (state.bytes, state.waiters) = ([], []) }
                return (state.bytes, state.waiters, state.isEnding ? state.finisher : nil)
            }
            if !waiters.isEmpty {
                let isWritten = (try? file.write(bytes, at: offset)) != nil && (try? file.sync()) != nil
                offset += bytes.count
                for waiter in waiters { waiter.resume(returning: isWritten) }
            } else if let finisher {
                file.close()
                return finisher.resume()
            } else {
                parker.park()
            }
        }
    }
}
