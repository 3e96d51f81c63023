// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Why a store's directory could not be opened. No record in it was changed or lost.
public enum FileStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process has the store open, or this one does; its process identifier if it is known.
    case inUse(directory: String, pid: Int32?)
    /// A file is not what it was when it was written: bytes that had been on the medium are lost.
    ///
    /// The store refuses to open rather than to go on without them.
    case damaged(file: String, offset: Int)
    /// A file of the store is not there, though others need it.
    case missing(file: String)
    /// There is something in a directory that has to be empty.
    case occupied(directory: String)
    /// A file was written by another version of the package, in a format that this one does not read.
    case unsupportedFormat(file: String, version: UInt32)
    /// The system refused a file operation.
    case failed(StoreFailure)

    /// What happened, for people, in one line.
    public var description: String {
        switch self {
        case .inUse(let directory, let pid):
            "\(directory) is in use by \(pid.map { "process \($0)" } ?? "another process")"
        case .damaged(let file, let offset):
            "\(file) is damaged at byte \(offset)"
        case .missing(let file):
            "\(file) is missing"
        case .occupied(let directory):
            "\(directory) is not empty"
        case .unsupportedFormat(let file, let version):
            "\(file) has format version \(version), which this version does not read"
        case .failed(let failure):
            "\(failure)"
        }
    }
}

/// What opening a store's directory found.
public struct OpeningReport: Hashable, Sendable {
    /// How the store ended the last time it was open.
    public enum LastEnd: Hashable, Sendable {
        /// There was no store in the directory.
        case new
        /// It was closed.
        case closed
        /// Its process ended without closing it, between two writes.
        case interrupted
        /// Its process or power was lost in a write, of which so many bytes, never acknowledged, were dropped.
        case torn(droppedBytes: Int)
    }

    /// How the store ended the last time it was open.
    public let lastEnd: LastEnd
    /// How many frames were read: one for each commit, and those that a journal begins and ends with.
    public let framesReplayed: Int
    /// How many records stand in the store, those that have expired and were not purged among them.
    public let records: Int
    /// How long opening took.
    public let duration: Duration
}

/// Runs file operations whose failure makes an opening fail.
func opening<Value>(_ body: () throws(StoreFailure) -> Value) throws(FileStoreError) -> Value {
    do {
        return try body()
    } catch {
        throw .failed(error)
    }
}
