// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// The body of a record: the number of the operation that wrote it, and bytes that follow from the number.
enum Payload {
    /// Up to about 600 bytes, every sixteenth up to 9,000, so that some lie across several pages of a file.
    static func body(of number: UInt64, atLeast least: Int = 0) -> [UInt8] {
        let random = RandomSource.seeded(number)
        let length = Int(random.draw(upTo: number.isMultiple(of: 16) ? 9_000 : 600))
        var body = [UInt8](repeating: 0, count: 8 + max(length, least))
        for index in 0..<8 { body[index] = UInt8(truncatingIfNeeded: number >> (8 * UInt64(index))) }
        for index in 8..<body.count { body[index] = UInt8(truncatingIfNeeded: random.next()) }
        return body
    }

    /// The number that was written; `nil` if these are not the bytes of any.
    static func number(of body: [UInt8]) -> UInt64? {
        guard body.count >= 8 else { return nil }
        let number = body[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return body == Self.body(of: number, atLeast: body.count - 8) ? number : nil
    }
}
