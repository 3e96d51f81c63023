// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif
internal import Synchronization

/// A private directory for the rows that write files, made when the first of them asks and removed at the end.
///
/// Nothing in it is removed before the end: where deleting frees blocks of the disk at once, a large deletion slows
/// down everything for seconds.
final class Scratch: Sendable {
    private struct State {
        var path: String?
        var nextNumber = 0
    }

    /// The directory in which the private one is made.
    let parent: String
    /// The kind of its file system, such as `ext4`; `nil` where that cannot be found out.
    let fileSystem: String?
    private let state = Mutex(State())

    /// The directory that was asked for, or else the first on a disk: `.build`, `TMPDIR`, the current directory.
    init(in directory: String?) throws {
        let environment = ProcessInfo.processInfo.environment
        let candidates = directory.map { [$0] } ?? [".build", environment["TMPDIR"], "."].compactMap { $0 }
        var reason: (any Error)?
        for candidate in candidates {
            do {
                fileSystem = try Self.diskFileSystem(of: candidate)
                parent = candidate
                return
            } catch {
                reason = reason ?? error
            }
        }
        throw reason ?? SystemCallFailed("use", "directory", code: ENOENT)
    }

    /// A path in the directory that nothing has yet.
    func newPath(_ name: String) throws -> String {
        try state.withLock { state in
            let path = try state.path ?? make()
            state.path = path
            state.nextNumber += 1
            return "\(path)/\(state.nextNumber)-\(name)"
        }
    }

    private func make() throws -> String {
        let path = "\(parent)/reliability-benchmarks-\(getpid())"
        guard unsafe mkdir(path, 0o700) == 0 else { throw SystemCallFailed("create", path) }
        return path
    }

    /// Removes the directory and everything in it.
    func remove() throws {
        let path = state.withLock { state in
            defer { state.path = nil }
            return state.path
        }
        if let path { try FileManager.default.removeItem(atPath: path) }
    }

    /// Throws if the directory is in memory, where a sync costs nothing, or cannot be written.
    private static func diskFileSystem(of directory: String) throws -> String? {
        guard unsafe access(directory, W_OK | X_OK) == 0 else { throw SystemCallFailed("write to", directory) }
        let kind = try fileSystemKind(of: directory)
        guard kind != "tmpfs", kind != "ramfs" else { throw NotOnDisk(directory: directory) }
        return kind
    }

    private static func fileSystemKind(of directory: String) throws -> String? {
        var status = stat()
        guard unsafe stat(directory, &status) == 0 else { throw SystemCallFailed("examine", directory) }
        #if os(Linux)
        guard let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else { return nil }
        let device = "\(status.st_dev >> 8 & 0xFFF):\(status.st_dev & 0xFF | status.st_dev >> 12 & 0xFFF00)"
        for mount in mounts.split(separator: "\n") {
            let fields = mount.split(separator: " ")
            // The kind follows the dash that ends the optional fields.
            guard fields.count > 2, fields[2] == device, let dash = fields.firstIndex(of: "-") else { continue }
            return fields[(dash + 1)...].first.map { String($0) }
        }
        #endif
        return nil
    }
}

/// A directory that is in memory.
struct NotOnDisk: Error, CustomStringConvertible {
    let directory: String

    var description: String {
        "\(directory): is in memory, where a sync costs nothing; choose another with --directory"
    }
}
