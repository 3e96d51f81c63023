// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a store did that its promises rule out.
public struct ConformanceFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// One check that failed.
    public struct Finding: Hashable, Sendable, CustomStringConvertible {
        /// The check's name.
        public let check: String
        /// The number of the promise of the store's protocol that is broken; `nil` if it is an operation's own rule.
        public let promise: Int?
        /// What was seen, and what should have been.
        public let seen: String

        /// The check, the promise and what was seen.
        public var description: String {
            "\(check)\(promise.map { " (promise \($0))" } ?? ""): \(seen)"
        }
    }

    /// The checks that failed, in the order in which they ran.
    public let findings: [Finding]

    /// One line for each failed check.
    public var description: String { findings.map(\.description).joined(separator: "\n") }
}
