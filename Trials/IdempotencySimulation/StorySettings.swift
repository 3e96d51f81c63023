// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import Idempotency
package import RecordStores
internal import ReliabilityCore

/// What kind of story it is.
struct StorySettings: Sendable {
    var hasFiles: Bool
    var durability: FileDurability
    var honoursKeys: Bool
    var policy: Judge.Policy
    /// Whether a probe sees to it that no earlier request is taken any more; else it does not know as long as one may
    /// come.
    var voids: Bool
    var waits: Bool
    var failsOpen: Bool
    var hasTwoSteps: Bool
    var keys: Int
    var clients: Int
    var calls: Int
    var processes: Int
    var actions: Int
    var lossChance: Int64
    let lease = Duration.seconds(30)
    var longestHold: Duration
    var retention: Duration
    /// Each for two consumers.
    var messages: Int
    /// Whether some handlers go on for long although they are cancelled.
    var outstays = true

    init(_ random: RandomSource) {
        func draw(_ count: Int64) -> Int { Int(random.draw(upTo: count - 1)) }
        hasFiles = draw(4) != 0
        durability = .everyCommit
        honoursKeys = draw(2) == 0
        policy = Judge.Policy.allCases[draw(3)]
        voids = draw(2) == 0
        waits = draw(2) == 0
        failsOpen = draw(6) == 0
        hasTwoSteps = draw(2) == 0
        keys = 1 + draw(4)
        clients = 3 + draw(6)
        calls = 8 + draw(20)
        processes = 1 + draw(3)
        actions = 140 + draw(320)
        lossChance = [0, 0, 2, 8][draw(4)]
        longestHold = draw(4) == 0 ? .seconds(45) : .seconds(3_600)
        retention = draw(4) == 0 ? .seconds(240) : .seconds(86_400)
        messages = draw(4)
    }
}

/// A bug in a store, for a proof that the judge finds it.
package struct PlantedBug: Sendable, CustomStringConvertible {
    package let description: String
    /// What the file store really survives.
    let durability: FileDurability
    let wrap: @Sendable (RecordIdempotencyStore<LinkedRecords>) -> any IdempotencyStore
    /// What a service does when it starts.
    let atStart: @Sendable (RecordIdempotencyStore<LinkedRecords>) async throws -> Void

    package init(
        _ description: String, durability: FileDurability = .everyCommit,
        atStart: @escaping @Sendable (RecordIdempotencyStore<LinkedRecords>) async throws -> Void = { _ in },
        wrap: @escaping @Sendable (RecordIdempotencyStore<LinkedRecords>) -> any IdempotencyStore = { $0 }
    ) {
        self.description = description
        self.durability = durability
        self.atStart = atStart
        self.wrap = wrap
    }
}
