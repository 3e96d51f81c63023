// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The Castagnoli checksum (polynomial 0x1EDC6F41, reflected), as in iSCSI, ext4 and SSE 4.2; by slices of eight bytes.
package struct CRC32C {
    private static let tables: [[UInt32]] = {
        let first = (0..<256).map { byte -> UInt32 in
            (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
        }
        var tables = [first]
        for _ in 1..<8 {
            guard let previous = tables.last else { break }
            tables.append(previous.map { first[Int($0 & 0xFF)] ^ $0 >> 8 })
        }
        return tables
    }()

    private var state: UInt32 = .max

    package init() {}

    /// The checksum of everything that was added.
    package var value: UInt32 { ~state }

    package mutating func add(_ number: UInt64) {
        var number = number.littleEndian
        unsafe withUnsafeBytes(of: &number) { unsafe add($0) }
    }

    package mutating func add(_ bytes: ArraySlice<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe add($0) }
    }

    private mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var crc = state
        var offset = 0
        let tables = Self.tables
        while offset + 8 <= bytes.count {
            let low = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) ^ crc
            let high = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            let lowSum =
                tables[7][Int(low & 0xFF)] ^ tables[6][Int(low >> 8 & 0xFF)]
                ^ tables[5][Int(low >> 16 & 0xFF)] ^ tables[4][Int(low >> 24)]
            let highSum =
                tables[3][Int(high & 0xFF)] ^ tables[2][Int(high >> 8 & 0xFF)]
                ^ tables[1][Int(high >> 16 & 0xFF)] ^ tables[0][Int(high >> 24)]
            crc = lowSum ^ highSum
            offset += 8
        }
        while offset < bytes.count {
            crc = unsafe tables[0][Int((crc ^ UInt32(bytes[offset])) & 0xFF)] ^ crc >> 8
            offset += 1
        }
        state = crc
    }
}
