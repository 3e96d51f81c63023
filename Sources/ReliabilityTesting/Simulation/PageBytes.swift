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

/// The bytes of one page of a simulated file: shared by whoever has a copy, until one is written to.
///
/// A page of zeros takes no room, so that space that is zeroed ahead costs next to nothing.
struct PageBytes: Sendable {
    static let length = 4_096
    static let sectorLength = 512
    private static let zeros = [UInt8](repeating: 0, count: length)

    /// All of them, or none if all are zero.
    private var bytes: [UInt8] = []

    /// The sectors that a range of the page touches, as a mask.
    static func sectors(in range: Range<Int>) -> UInt8 {
        guard !range.isEmpty else { return 0 }
        let first = range.lowerBound / sectorLength
        let last = (range.upperBound - 1) / sectorLength
        return UInt8(truncatingIfNeeded: (1 << (last + 1)) - (1 << first))
    }

    /// Overwrites from `start` on with `count` bytes of `source`, beginning at its offset `first`.
    mutating func write(_ source: [UInt8], from first: Int, count: Int, at start: Int) {
        if bytes.isEmpty {
            guard !Self.isZero(source, from: first, count: count) else { return }
            bytes = Self.zeros
        }
        precondition(first + count <= source.count && start + count <= Self.length, "\(count) bytes at \(start)")
        unsafe bytes.withUnsafeMutableBytes { target in
            unsafe source.withUnsafeBytes { source in
                let piece = unsafe UnsafeRawBufferPointer(rebasing: source[first..<first + count])
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[start...]).copyMemory(from: piece)
            }
        }
    }

    /// Takes sectors over from another page.
    mutating func copy(sectors mask: UInt8, from other: PageBytes) {
        if mask == .max {
            self = other
            return
        }
        let source = other.bytes.isEmpty ? Self.zeros : other.bytes
        for sector in 0..<8 where mask & (1 << UInt8(sector)) != 0 {
            let start = sector * Self.sectorLength
            write(source, from: start, count: Self.sectorLength, at: start)
        }
    }

    /// Makes everything from an offset on zero.
    mutating func zero(from start: Int) {
        guard !bytes.isEmpty else { return }
        if start <= 0 { bytes = [] } else { write(Self.zeros, from: 0, count: Self.length - start, at: start) }
    }

    /// Of the sectors of a mask, those that are not the same as another page's.
    func sectors(of mask: UInt8, differingFrom other: PageBytes) -> UInt8 {
        if bytes.isEmpty && other.bytes.isEmpty { return 0 }
        let left = bytes.isEmpty ? Self.zeros : bytes
        let right = other.bytes.isEmpty ? Self.zeros : other.bytes
        return unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress, unsafe left != right else { return 0 }
                var differing: UInt8 = 0
                for sector in 0..<8 where mask & (1 << UInt8(sector)) != 0 {
                    let start = sector * Self.sectorLength
                    if unsafe memcmp(left + start, right + start, Self.sectorLength) != 0 {
                        differing |= 1 << UInt8(sector)
                    }
                }
                return differing
            }
        }
    }

    /// Turns one bit over.
    mutating func flip(bit: Int) {
        if bytes.isEmpty { bytes = Self.zeros }
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    }

    /// Feeds the content into a hasher.
    func hash(into hasher: inout Hasher) {
        let isZero = bytes.isEmpty || Self.isZero(bytes, from: 0, count: Self.length)
        hasher.combine(isZero)
        guard !isZero else { return }
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }

    /// Appends the first bytes of the page.
    func append(_ count: Int, to content: inout [UInt8]) {
        content.append(contentsOf: (bytes.isEmpty ? Self.zeros : bytes).prefix(count))
    }

    private static func isZero(_ source: [UInt8], from first: Int, count: Int) -> Bool {
        unsafe source.withUnsafeBytes { source in
            unsafe zeros.withUnsafeBytes { zeros in
                guard let source = source.baseAddress, let zeros = zeros.baseAddress else { return true }
                return unsafe memcmp(source + first, zeros, count) == 0
            }
        }
    }
}
