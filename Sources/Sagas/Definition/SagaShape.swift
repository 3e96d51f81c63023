// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Which definition a saga was started with: its name, its version and a hash of its steps.
public struct SagaShape: Hashable, Sendable, CustomStringConvertible {
    /// The definition's name.
    public let name: String
    /// The definition's version.
    public let version: Int
    /// A hash of the names, kinds, order and groups of its steps; the same in every process and on every machine.
    public let hash: UInt64

    /// The name, the version and the hash, as `checkout v1 (3f2a9c0d51b7e846)`.
    public var description: String {
        let digits = String(hash, radix: 16)
        return "\(name) v\(version) (\(String(repeating: "0", count: 16 - digits.count))\(digits))"
    }
}

extension SagaShape {
    init(name: String, version: Int, stages: [[SagaStepTraits]]) {
        let text = stages.map { $0.map { "\($0.kind.rawValue) \($0.name)" }.joined(separator: " & ") }
        self.init(name: name, version: version, hash: Self.hash(of: text.joined(separator: "\n")))
    }

    /// FNV-1a, of 64 bits: it is to find changes, not to withstand somebody who looks for collisions.
    ///
    /// Glenn Fowler, Landon Curt Noll and Kiem-Phong Vo, "The FNV Non-Cryptographic Hash Algorithm".
    private static func hash(of text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
