// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The body of a key's record, format 1: the fingerprint, and once completed the outcome.
///
/// When the key was completed is not in the body, because a caller does not know the store's time when it writes. It
/// follows exactly from the record's expiry, which the store sets when it commits, and the retention kept here.
struct KeyBody: Equatable {
    /// The bytes of a completed body that are not the outcome's, at most.
    private static let overhead = 64

    /// How a key was completed.
    struct Completion: Equatable {
        var output: [UInt8]
        var retention: Duration
    }

    var fingerprint: Fingerprint
    /// `nil` as long as the key is in progress or its outcome unknown.
    var completion: Completion?

    init(fingerprint: Fingerprint, completion: Completion? = nil) {
        self.fingerprint = fingerprint
        self.completion = completion
    }

    init(_ bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == 1 else { throw MalformedBytes(offset: 0) }
        let words = try (reader.readUInt64(), reader.readUInt64(), reader.readUInt64(), reader.readUInt64())
        fingerprint = Fingerprint(digest: SHA256(words: words))
        completion = try reader.readOptional { reader throws(MalformedBytes) in
            let retention = Duration.nanoseconds(try reader.readInt64())
            return Completion(output: try reader.readBytes(), retention: retention)
        }
        try reader.finish()
    }

    var bytes: [UInt8] {
        var writer = ByteWriter()
        writer.reserveCapacity(Self.overhead + (completion?.output.count ?? 0))
        writer.write(UInt8(1))
        let words = fingerprint.digest.words
        for word in [words.0, words.1, words.2, words.3] { writer.write(word) }
        writer.write(completion) { writer, completion in
            writer.write(completion.retention.nanosecondsRoundedUp)
            writer.write(completion.output)
        }
        return writer.bytes
    }
}
