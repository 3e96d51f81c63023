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

/// The part of a journal file that is written with zeros ahead of its frames.
///
/// A sync after an overwrite of zeros has no file size and no block map to update, which makes it about a third faster
/// than one after an append, and two to four times on a file system with a journal. Reserved blocks alone do not help.
struct ZeroedSpace {
    private static let smallestStep = 65_536
    private static let largestStep = 4_194_304
    /// Zeros are written by the page: what is written in one go, a system may keep in its cache as one unit, and then
    /// each sync walks the whole unit for the few bytes that have changed in it.
    private static let piece = 4_096

    private var end: Int
    private var isExhausted = false

    /// No zeros beyond the given end yet.
    init(end: Int) { self.end = end }

    /// Sees to it that the file has zeros, or what was written over them, up to `needed` and some way beyond.
    mutating func makeRoom(for needed: Int, in file: any WritableFile) throws(StoreFailure) {
        guard needed > end, !isExhausted else { return }
        let step = min(max(needed, Self.smallestStep), Self.largestStep)
        let newEnd = (needed + step) / Self.smallestStep * Self.smallestStep
        do {
            while end < newEnd {
                let pieceEnd = min(end / Self.piece * Self.piece + Self.piece, newEnd)
                try file.write([UInt8](repeating: 0, count: pieceEnd - end), at: end)
                end = pieceEnd
            }
        } catch  where [ENOSPC, EDQUOT, EFBIG].contains(error.code) {
            // What is left of the disk is for the entries themselves.
            isExhausted = true
        }
    }
}
