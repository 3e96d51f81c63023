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
internal import RecordStores
internal import Synchronization

/// A private directory for everything that the trials write, with whatever they mount in it.
final class Scratch: Sendable {
    private struct State {
        var mounts: [String] = []
        var isKept = false
        var nextNumber = 0
    }

    let path: String
    private let state = Locked(State())

    init(in parent: String) throws {
        let parent = URL(fileURLWithPath: parent).standardizedFileURL.path
        path = "\(parent)/reliability-trials-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    /// A path in the directory that nothing has yet.
    func newPath(_ name: String) -> String {
        state.withLock { state in
            state.nextNumber += 1
            return "\(path)/\(state.nextNumber)-\(name)"
        }
    }

    /// Leaves the directory where it is, for whoever looks for the cause of a failure.
    func keep() { state.withLock { $0.isKept = true } }

    /// Mounts something on a directory of this one; it is unmounted at the latest when this one is removed.
    func mount(_ source: String, on directory: String, type: String, options: String) throws {
        // Listed before: a signal may come in between.
        state.withLock { $0.mounts.append(directory) }
        do {
            try Tool.run("mount", "-t", type, "-o", options, source, directory)
        } catch {
            state.withLock { state in state.mounts.removeAll { $0 == directory } }
            throw error
        }
    }

    func unmount(_ directory: String) throws {
        try Tool.run("umount", directory)
        state.withLock { state in state.mounts.removeAll { $0 == directory } }
    }

    /// Unmounts what is mounted still and removes the directory, unless it is to be kept; says where if so.
    func remove() throws {
        let (mounts, isKept) = state.withLock { state in
            defer { state.mounts = [] }
            return (state.mounts, state.isKept)
        }
        // Detached also from under processes that use it; a loop device goes with the last of them.
        for mount in mounts.reversed() { _ = try? Tool.run("umount", "--lazy", mount) }
        if isKept {
            print("the files are kept in \(path)")
        } else {
            try FileManager.default.removeItem(atPath: path)
        }
    }
}
