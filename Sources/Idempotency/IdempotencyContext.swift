// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a handler knows of the execution that it is part of.
public struct IdempotencyContext: Hashable, Sendable {
    /// The key under which the operation runs.
    public let key: IdempotencyKey
    /// The number of this execution, which grows with every execution of the key.
    ///
    /// Hand it to a resource that can refuse writes under an older number; it then refuses a predecessor that was
    /// paused and believes itself alive. In a probe it is the number of the execution whose outcome is asked for.
    public let fence: Fence
    /// How often the key has been claimed since it was stored, this time included; 1 on a first execution.
    public let attempt: Int

    /// The idempotency key for a call to another service: the same on every attempt, after a crash and in every
    /// process.
    ///
    /// Give each call that one execution makes a `step` of its own, and each provider that takes an idempotency key
    /// gets the same one whenever this operation is executed again. The key has 36 characters and the form of a UUID:
    /// version 8 of RFC 9562, with 122 bits of the SHA-256 of tenant, operation, key and step, each with its length.
    public func downstreamKey(_ step: String) -> String {
        var writer = ByteWriter()
        for part in ["idempotency downstream key 1", key.tenant, key.operation, key.key, step] { writer.write(part) }
        let words = SHA256(of: writer.bytes).words
        // The version takes bits 48 to 51 and the variant bits 64 and 65; the digest's other bits keep their places.
        let high = words.0 & ~0xF000 | 0x8000
        let low = words.1 & (.max >> 2) | 1 << 63
        let digits = (high.sixteenDigits + low.sixteenDigits).utf8
        var text = ""
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.unicodeScalars.append(Unicode.Scalar(digit))
        }
        return text
    }
}

extension UInt64 {
    fileprivate var sixteenDigits: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
