// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Every file operation that a file store uses, so that a simulated disk can stand in for the real one.
///
/// All of them block, and all throw a ``StoreFailure`` that names the file and the system's error number.
package protocol FileSystem: Sendable {
    /// Makes a directory that only its owner may enter; nothing happens if it exists. Its name is not durable yet.
    func createDirectory(_ path: String) throws(StoreFailure)
    /// What tells a file from every other that exists, whatever path leads to it.
    func identity(of path: String) throws(StoreFailure) -> String
    /// The names in a directory.
    func names(in directory: String) throws(StoreFailure) -> [String]
    /// Locks a file, made if need be, for as long as the lock is kept; `held` by whom if somebody else has it.
    func lock(_ path: String) throws(StoreFailure) -> FileLockAnswer
    /// The whole content of a file.
    func read(_ path: String) throws(StoreFailure) -> [UInt8]
    /// Opens a file for writing, made empty first if `isNew`; only its owner may read it.
    func open(_ path: String, isNew: Bool) throws(StoreFailure) -> any WritableFile
    /// Gives a file another name, in place of the file that has it.
    func rename(_ path: String, to newPath: String) throws(StoreFailure)
    /// Removes a file.
    func remove(_ path: String) throws(StoreFailure)
    /// Makes the names in a directory durable.
    func syncDirectory(_ path: String) throws(StoreFailure)
}

/// A file that is open for writing.
package protocol WritableFile: Sendable {
    /// Writes all bytes at an offset.
    func write(_ bytes: [UInt8], at offset: Int) throws(StoreFailure)
    /// Makes everything that was written durable.
    func sync() throws(StoreFailure)
    /// Whether the file still has a name, so that it can be found again.
    func isLinked() throws(StoreFailure) -> Bool
    /// Closes the file; what was not synced may be lost.
    func close()
}

/// A lock on a file, kept until it is released or the process ends.
package protocol FileLock: Sendable {
    /// Lets others have the lock.
    func release()
}

/// Whether a lock was had.
package enum FileLockAnswer: Sendable {
    /// It is ours.
    case locked(any FileLock)
    /// Another process has it, or this one by another opening; its identifier if it left it.
    case held(pid: Int32?)
}
