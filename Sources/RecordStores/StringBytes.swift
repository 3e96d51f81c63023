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
                guard unsafe bytes.count == otherBytes.count else { return false }
                guard let start = unsafe bytes.baseAddress, let otherStart = unsafe otherBytes.baseAddress else { return true }
                return unsafe memcmp(start, otherStart, bytes.count) == 0
            }
        }
        // Only a string that belongs to Objective-C has no contiguous bytes.
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}

extension Hasher {
    mutating func combine(utf8 string: String) {
        combine(string.utf8.count)
        var string = string
        string.withUTF8 { unsafe combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
