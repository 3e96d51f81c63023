// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension IdempotencyStoreConformance {
    /// What the promises leave to some kinds of stores; each part of it is a thing that is then not required.
    public struct Leeway: OptionSet, Sendable {
        /// The parts as bits.
        public let rawValue: UInt8

        /// A leeway of those parts.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The store cannot compare before it claims: a claim that names another execution than the one that stands
        /// there takes the key and gives it back. An unknown execution is then left unknown because of
        /// ``/Idempotency/IdempotencyUnknownReason/claimedInError``, so that its late owner can no longer settle it; a
        /// completed one may have a holder and stay until that claim's lease has passed.
        public static let claimsInError = Leeway(rawValue: 1)
    }
}
