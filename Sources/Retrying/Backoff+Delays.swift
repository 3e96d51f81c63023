// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Backoff {
    /// The delays in turn, for a loop of your own: as many as a list has, without end otherwise.
    ///
    /// ```swift
    /// for delay in Backoff.listed([.seconds(1), .seconds(5), .seconds(30)]).delays() {
    ///     if await subscription.isConnected() { return }
    ///     try await Task.sleep(for: delay)
    /// }
    /// ```
    ///
    /// - Parameter randomness: Where the jitter is drawn from; by default a generator of its own.
    public func delays(using randomness: RandomSource = .system) -> Delays {
        Delays(backoff: self, randomness: randomness)
    }

    /// The delays of a ``Backoff`` in turn; every iteration starts with the first.
    public struct Delays: Sequence, IteratorProtocol, Sendable {
        private let backoff: Backoff
        private let randomness: RandomSource
        private var attempt = 1
        private var previous: Int64?

        init(backoff: Backoff, randomness: RandomSource) {
            self.backoff = backoff
            self.randomness = randomness
        }

        /// The next delay; `nil` after the last of a list.
        public mutating func next() -> Duration? {
            let delay = backoff.nanoseconds(afterAttempt: attempt, previous: previous, using: randomness)
            guard let delay else { return nil }
            previous = delay
            attempt += attempt < .max ? 1 : 0
            return .nanoseconds(delay)
        }
    }
}
