// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// SHA-256 of a message that comes in parts, the same however it is cut.
///
/// Whole blocks are taken in where they are; only what does not fill one is copied. Nothing is allocated.
struct SHA256Stream {
    private var state: SHA256State
    /// How many bytes have come; the last `count % 64` of them are in `rest`.
    private var count: Int
    private var rest: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)

    init() { self.init(after: SHA256State(), count: 0) }

    /// Goes on after `count` bytes, which are whole blocks that `state` has taken in.
    init(after state: SHA256State, count: Int) {
        self.state = state
        self.count = count
    }

    mutating func update(_ bytes: [UInt8]) { unsafe bytes.withUnsafeBytes { unsafe update($0) } }

    /// Takes in the text's UTF-8.
    mutating func update(_ text: String) {
        let isDone: Void? = unsafe text.utf8.withContiguousStorageIfAvailable {
            unsafe update(UnsafeRawBufferPointer($0))
        }
        // Only a string that belongs to Objective-C has no contiguous bytes.
        if isDone == nil { update(Array(text.utf8)) }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var bytes = unsafe bytes
        let held = count % 64
        count += bytes.count
        guard held + bytes.count >= 64 else { return unsafe hold(bytes, after: held) }
        unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
            if held > 0 {
                unsafe hold(UnsafeRawBufferPointer(rebasing: bytes[..<(64 - held)]), after: held)
                unsafe bytes = UnsafeRawBufferPointer(rebasing: bytes[(64 - held)...])
                unsafe withUnsafeBytes(of: rest) { unsafe state.mix($0, schedule) }
            }
            while bytes.count >= 64 {
                unsafe state.mix(UnsafeRawBufferPointer(rebasing: bytes[..<64]), schedule)
                unsafe bytes = UnsafeRawBufferPointer(rebasing: bytes[64...])
            }
        }
        unsafe hold(bytes, after: 0)
    }

    /// The digest of all that has come: one or two blocks more, with the bit 1, zeros and the message's length in bits.
    consuming func finish() -> SHA256 {
        let (held, bits) = (count % 64, UInt64(count) &* 8)
        unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
            unsafe withUnsafeMutableBytes(of: &rest) { block in
                unsafe block[held] = 0x80
                unsafe UnsafeMutableRawBufferPointer(rebasing: block[(held + 1)...]).zero()
                if held >= 56 {
                    unsafe state.mix(UnsafeRawBufferPointer(block), schedule)
                    unsafe block.zero()
                }
                unsafe block.storeBytes(of: bits.bigEndian, toByteOffset: 56, as: UInt64.self)
                unsafe state.mix(UnsafeRawBufferPointer(block), schedule)
            }
        }
        return state.digest
    }

    /// Keeps bytes that do not fill a block, after the `held` ones that are there.
    private mutating func hold(_ bytes: UnsafeRawBufferPointer, after held: Int) {
        unsafe withUnsafeMutableBytes(of: &rest) { block in
            unsafe UnsafeMutableRawBufferPointer(rebasing: block[held...]).copyMemory(from: bytes)
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func zero() { _ = unsafe initializeMemory(as: UInt8.self, repeating: 0) }
}

/// The eight working words between blocks.
struct SHA256State: Sendable {
    private var a: UInt32 = 0x6A09_E667
    private var b: UInt32 = 0xBB67_AE85
    private var c: UInt32 = 0x3C6E_F372
    private var d: UInt32 = 0xA54F_F53A
    private var e: UInt32 = 0x510E_527F
    private var f: UInt32 = 0x9B05_688C
    private var g: UInt32 = 0x1F83_D9AB
    private var h: UInt32 = 0x5BE0_CD19

    init() {}

    /// After one block of 64 bytes.
    init(afterBlock block: [UInt8]) {
        unsafe withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
            unsafe block.withUnsafeBytes { unsafe mix($0, schedule) }
        }
    }

    /// The words as a digest: that of the blocks so far, if the last one was the padded one.
    var digest: SHA256 {
        SHA256(
            words: (
                UInt64(a) << 32 | UInt64(b), UInt64(c) << 32 | UInt64(d),
                UInt64(e) << 32 | UInt64(f), UInt64(g) << 32 | UInt64(h)
            ))
    }

    /// Takes one block of 64 bytes in; `schedule` has room for 64 words.
    fileprivate mutating func mix(_ block: UnsafeRawBufferPointer, _ schedule: UnsafeMutableBufferPointer<UInt32>) {
        for index in 0..<16 {
            unsafe schedule[index] = UInt32(
                bigEndian: block.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
        }
        for index in 16..<64 {
            let (near, far) = unsafe (schedule[index - 2], schedule[index - 15])
            let spread = unsafe schedule[index - 16] &+ schedule[index - 7]
            unsafe schedule[index] = spread &+ near.smallSigma1 &+ far.smallSigma0
        }
        var next = self
        unsafe roundConstants.withUnsafeBufferPointer { constants in
            // Eight rounds a turn, so that the words change their names instead of their places.
            for index in stride(from: 0, to: 64, by: 8) {
                func term(_ offset: Int) -> UInt32 {
                    unsafe schedule[index + offset] &+ constants[index + offset]
                }
                Self.round(next.a, next.b, next.c, &next.d, next.e, next.f, next.g, &next.h, term(0))
                Self.round(next.h, next.a, next.b, &next.c, next.d, next.e, next.f, &next.g, term(1))
                Self.round(next.g, next.h, next.a, &next.b, next.c, next.d, next.e, &next.f, term(2))
                Self.round(next.f, next.g, next.h, &next.a, next.b, next.c, next.d, &next.e, term(3))
                Self.round(next.e, next.f, next.g, &next.h, next.a, next.b, next.c, &next.d, term(4))
                Self.round(next.d, next.e, next.f, &next.g, next.h, next.a, next.b, &next.c, term(5))
                Self.round(next.c, next.d, next.e, &next.f, next.g, next.h, next.a, &next.b, term(6))
                Self.round(next.b, next.c, next.d, &next.e, next.f, next.g, next.h, &next.a, term(7))
            }
        }
        a &+= next.a
        b &+= next.b
        c &+= next.c
        d &+= next.d
        e &+= next.e
        f &+= next.f
        g &+= next.g
        h &+= next.h
    }

    @inline(__always)
    private static func round(
        _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32,
        _ e: UInt32, _ f: UInt32, _ g: UInt32, _ h: inout UInt32, _ term: UInt32
    ) {
        let first = h &+ e.bigSigma1 &+ ((e & f) ^ (~e & g)) &+ term
        d &+= first
        h = first &+ a.bigSigma0 &+ ((a & b) ^ (a & c) ^ (b & c))
    }
}

extension UInt32 {
    @inline(__always)
    private func rotatedRight(_ count: UInt32) -> UInt32 { self &>> count | self &<< (32 &- count) }

    fileprivate var bigSigma0: UInt32 { rotatedRight(2) ^ rotatedRight(13) ^ rotatedRight(22) }
    fileprivate var bigSigma1: UInt32 { rotatedRight(6) ^ rotatedRight(11) ^ rotatedRight(25) }
    fileprivate var smallSigma0: UInt32 { rotatedRight(7) ^ rotatedRight(18) ^ self &>> 3 }
    fileprivate var smallSigma1: UInt32 { rotatedRight(17) ^ rotatedRight(19) ^ self &>> 10 }
}

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
private let roundConstants: [UInt32] = [
    0x428A_2F98, 0x7137_4491, 0xB5C0_FBCF, 0xE9B5_DBA5, 0x3956_C25B, 0x59F1_11F1, 0x923F_82A4, 0xAB1C_5ED5,
    0xD807_AA98, 0x1283_5B01, 0x2431_85BE, 0x550C_7DC3, 0x72BE_5D74, 0x80DE_B1FE, 0x9BDC_06A7, 0xC19B_F174,
    0xE49B_69C1, 0xEFBE_4786, 0x0FC1_9DC6, 0x240C_A1CC, 0x2DE9_2C6F, 0x4A74_84AA, 0x5CB0_A9DC, 0x76F9_88DA,
    0x983E_5152, 0xA831_C66D, 0xB003_27C8, 0xBF59_7FC7, 0xC6E0_0BF3, 0xD5A7_9147, 0x06CA_6351, 0x1429_2967,
    0x27B7_0A85, 0x2E1B_2138, 0x4D2C_6DFC, 0x5338_0D13, 0x650A_7354, 0x766A_0ABB, 0x81C2_C92E, 0x9272_2C85,
    0xA2BF_E8A1, 0xA81A_664B, 0xC24B_8B70, 0xC76C_51A3, 0xD192_E819, 0xD699_0624, 0xF40E_3585, 0x106A_A070,
    0x19A4_C116, 0x1E37_6C08, 0x2748_774C, 0x34B0_BCB5, 0x391C_0CB3, 0x4ED8_AA4A, 0x5B9C_CA4F, 0x682E_6FF3,
    0x748F_82EE, 0x78A5_636F, 0x84C8_7814, 0x8CC7_0208, 0x90BE_FFFA, 0xA450_6CEB, 0xBEF9_A3F7, 0xC671_78F2,
]
