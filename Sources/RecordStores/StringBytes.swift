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

// Names are compared and hashed by their UTF-8 bytes, in one go each: element by element it costs more than everything
// else that a lookup does.

extension String {
    /// Whether both have the same bytes of UTF-8.
    func hasBytes(of other: String) -> Bool {
        let isSame = unsafe utf8.withContiguousStorageIfAvailable { bytes in
            unsafe other.utf8.withContiguousStorageIfAvailable { otherBytes in
                guard bytes.count == otherBytes.count else { return false }
                guard let start = bytes.baseAddress, let otherStart = otherBytes.baseAddress else { return true }
                return unsafe memcmp(start, otherStart, bytes.count) == 0
            }
        }
        // Only a string that belongs to Objective-C has no contiguous bytes.
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }

    /// The first byte of UTF-8 that is not in the range.
    func firstByte(outside range: ClosedRange<UInt8>) -> UInt8? {
        let first = unsafe utf8.withContiguousStorageIfAvailable { bytes in
            unsafe bytes.first { !range.contains($0) }
        }
        return first ?? utf8.first { !range.contains($0) }
    }
}

extension Hasher {
    mutating func combine(utf8 string: String) {
        combine(string.utf8.count)
        let isDone: Void? = unsafe string.utf8.withContiguousStorageIfAvailable { bytes in
            unsafe combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if isDone == nil { for byte in string.utf8 { combine(byte) } }
    }
}
