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

/// One operation that was asked of a simulated disk.
package struct DiskOperation: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable, CaseIterable {
        case createDirectory
        case identify
        case list
        case lock
        case read
        /// Opening a file that is made, or made empty.
        case create
        case open
        case rename
        case remove
        case syncDirectory
        case write
        case sync
        case isLinked

        /// As the real file system names it in a failure.
        var verb: String {
            switch self {
            case .createDirectory: "create"
            case .identify, .isLinked: "examine"
            case .list: "list"
            case .lock: "lock"
            case .read: "read"
            case .create, .open: "open"
            case .rename: "rename"
            case .remove: "remove"
            case .syncDirectory, .sync: "sync"
            case .write: "write"
            }
        }
    }

    /// Counted from 1, over all kinds.
    package let number: Int
    package let kind: Kind
    package let path: String
    /// Of a rename: the other name.
    package let newPath: String?
    /// Of a write: where it begins, and how many bytes.
    package let offset: Int
    package let count: Int
    /// The system's error number; 0 if it succeeded.
    package internal(set) var code: Int32

    package var description: String {
        var text = "\(number) \(kind) \(path)"
        if let newPath { text += " to \(newPath)" }
        if kind == .write { text += " \(count) bytes at \(offset)" }
        if code != 0 { text += code == SimulatedDisk.powerLost ? ": power lost" : ": error \(code)" }
        return text
    }
}

/// What goes wrong on a simulated disk, and when.
package struct DiskFault: Sendable {
    enum Effect: Sendable {
        /// Nothing is done.
        case refusal
        /// Everything is done all the same.
        case lateError
        /// Only the first bytes are written.
        case shortWrite(Int)
        /// What is pending of the file is forgotten, but for what is kept.
        case forgottenContent(keeping: PowerCut)
    }

    let effect: Effect
    let code: Int32
    /// Only operations of this kind are counted and concerned; `nil`: all.
    let kind: DiskOperation.Kind?
    /// Which of them it is, counted from 1 from when the fault is set.
    let number: Int
    /// Whether it is the same with all that come after it.
    let lasts: Bool

    /// The medium does not work.
    package static let inputOutput = EIO
    /// There is no room on it.
    package static let noSpace = ENOSPC
    /// A signal came first.
    package static let interrupted = EINTR
    /// The user has used up what he may have.
    package static let overQuota = EDQUOT

    /// An operation does nothing and fails.
    package static func error(
        _ code: Int32, at number: Int = 1, of kind: DiskOperation.Kind? = nil, lasts: Bool = false
    ) -> DiskFault {
        DiskFault(effect: .refusal, code: code, kind: kind, number: number, lasts: lasts)
    }

    /// An operation is carried out, and reports that it failed.
    package static func lateError(
        _ code: Int32, at number: Int = 1, of kind: DiskOperation.Kind? = nil, lasts: Bool = false
    ) -> DiskFault {
        DiskFault(effect: .lateError, code: code, kind: kind, number: number, lasts: lasts)
    }

    /// A write fails when it has written its first bytes.
    package static func shortWrite(_ count: Int, _ code: Int32 = noSpace, at number: Int = 1) -> DiskFault {
        DiskFault(effect: .shortWrite(count), code: code, kind: .write, number: number, lasts: false)
    }

    /// A sync of a file fails, and the system takes what was pending for written: readers see it, no later sync writes
    /// it, and only what is written once more is pending again.
    ///
    /// - Parameter cut: which of the file's pending sectors, in the order in which they were written, are on the medium
    ///   all the same.
    package static func failedSync(
        _ code: Int32 = inputOutput, at number: Int = 1, keeping cut: PowerCut = .nothing
    ) -> DiskFault {
        DiskFault(effect: .forgottenContent(keeping: cut), code: code, kind: .sync, number: number, lasts: false)
    }
}
