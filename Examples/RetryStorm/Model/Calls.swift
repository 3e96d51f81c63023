// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import ReliabilityCore
internal import Synchronization

/// What became of the calls.
final class Calls: Sendable {
    private let state = Mutex((succeeded: 0, failed: 0))

    var counts: (succeeded: Int, failed: Int) { state.withLock { $0 } }

    func count(_ hasSucceeded: Bool) {
        state.withLock { if hasSucceeded { $0.succeeded += 1 } else { $0.failed += 1 } }
    }
}

/// The times between the calls of a client that does not know of the others: exponentially distributed.
struct Pauses {
    let mean: Duration
    private var random: RandomSource

    init(mean: Duration, _ random: RandomSource) {
        self.mean = mean
        self.random = random
    }

    mutating func next() -> Duration {
        let evenly = Double.random(in: Double.ulpOfOne..<1, using: &random)
        return mean * -log(evenly)
    }
}
