// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RateLimiting

/// What is counted: all requests, and those that each algorithm lets through.
enum Column: Int, CaseIterable {
    case requests, tokenBucket, slidingLog, slidingCounter, fixedWindow, leakyBucket

    static let algorithms = allCases.dropFirst()

    var title: String {
        switch self {
        case .requests: "requests"
        case .tokenBucket: "token bucket"
        case .slidingLog: "sliding log"
        case .slidingCounter: "sliding counter"
        case .fixedWindow: "fixed window"
        case .leakyBucket: "leaky bucket"
        }
    }

    /// How the limiter of the column works; `nil` if the column has none.
    var algorithm: RateLimitAlgorithm? {
        switch self {
        case .requests: nil
        case .tokenBucket: .tokenBucket
        case .slidingLog: .slidingWindowLog
        case .slidingCounter: .slidingWindowCounter
        case .fixedWindow: .fixedWindow
        case .leakyBucket: .leakyBucket
        }
    }
}

/// A number for each column.
struct Counts: Equatable {
    /// A lane for each column, and two that stay zero.
    private var lanes = SIMD8<Int>()

    subscript(column: Column) -> Int {
        get { lanes[column.rawValue] }
        set { lanes[column.rawValue] = newValue }
    }

    var sum: Int { lanes.wrappedSum() }

    static func += (lhs: inout Counts, rhs: Counts) { lhs.lanes &+= rhs.lanes }
    static func -= (lhs: inout Counts, rhs: Counts) { lhs.lanes &-= rhs.lanes }

    /// Takes the larger number in each column.
    mutating func formMaximum(_ other: Counts) { lanes = pointwiseMax(lanes, other.lanes) }
}
