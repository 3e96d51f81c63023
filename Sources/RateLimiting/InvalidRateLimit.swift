// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A rate limit that cannot be, from values that are not the program's own; see ``RateLimit/init(validating:per:burst:)``.
public struct InvalidRateLimit: Error, Hashable, CustomStringConvertible {
    /// Which of the values is out of its range.
    public enum Setting: String, Sendable, Hashable, CaseIterable {
        /// The permits in a period.
        case permits
        /// The period.
        case period
        /// The most permits at once, or the time in which they come back.
        case burst
    }

    /// Which of the values is out of its range.
    public let setting: Setting

    /// The value and its range, in words.
    public let description: String
}
