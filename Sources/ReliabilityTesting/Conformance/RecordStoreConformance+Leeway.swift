// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension RecordStoreConformance {
    /// What the promises leave to some kinds of stores; each part of it is a thing that is then not required.
    public struct Leeway: OptionSet, Sendable {
        /// The parts as bits.
        public let rawValue: UInt8

        /// A leeway of those parts.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Processes share the store: opening it ends nobody's leases (promise 9), and a claim of due records may pass
        /// over those that another call is changing.
        public static let sharedByProcesses = Leeway(rawValue: 1)
        /// The store's time goes back where its clock does: leases and lifetimes then last longer, and what is due comes
        /// later (promise 7).
        public static let timeGoesBack = Leeway(rawValue: 2)
    }
}
