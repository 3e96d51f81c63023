// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// How an operation's outcome is stored, so that a later duplicate can be given the same.
///
/// Of an outcome that is larger than the operation's `maximumOutputSize` the fact alone is kept: see
/// ``IdempotencyOutputOmitted``. One that cannot be encoded or stored is not lost to the caller, but its key is left
/// unknown: see ``IdempotencyUnsettled``.
public struct OutputCodec<Output: Sendable>: Sendable {
    let encode: @Sendable (Output) throws -> [UInt8]
    let decode: @Sendable ([UInt8]) throws -> Output

    /// A codec of two functions.
    ///
    /// `decode` must read what every released version of `encode` wrote, for as long as outcomes are retained. If it
    /// throws, the duplicate gets ``IdempotencyRecordUnreadable`` and nothing runs.
    public init(
        encode: @escaping @Sendable (Output) throws -> [UInt8], decode: @escaping @Sendable ([UInt8]) throws -> Output
    ) {
        self.encode = encode
        self.decode = decode
    }
}

extension OutputCodec where Output == [UInt8] {
    /// Bytes, stored as they are.
    public static var bytes: OutputCodec { OutputCodec(encode: { $0 }, decode: { $0 }) }
}

extension OutputCodec where Output == String {
    /// Text, stored as its UTF-8.
    public static var string: OutputCodec {
        OutputCodec(
            encode: { Array($0.utf8) },
            decode: { bytes in
                guard let string = String(validating: bytes, as: UTF8.self) else { throw MalformedBytes(offset: 0) }
                return string
            })
    }
}

extension OutputCodec where Output == Void {
    /// Nothing: what counts is that the operation has run.
    public static var void: OutputCodec { OutputCodec(encode: { [] }, decode: { _ in }) }
}
