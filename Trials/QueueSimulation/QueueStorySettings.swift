// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
internal import ReliabilityCore

/// What kind of story it is.
struct QueueStorySettings: Sendable {
    /// One in so many stories is of a store in files, each of which takes the time of two others.
    private static let shareOfFiles: Int64 = 4

    var parks: Bool
    var maximumFailures: Int
    var maximumCrashes: Int
    var backoff = Duration.seconds(10)
    var lease = Duration.seconds(30)
    var names: Int
    var keys: Int
    var processes: Int
    var actions: Int
    var lossChance: Int64
    /// In how many cases of a hundred a call stops on its way until the story lets it go on.
    var gateChance: Int64
    /// Whether consumers run beside the workers.
    var hasConsumers: Bool
    /// Whether the store is in files, which all processes have open as one.
    var hasFiles: Bool

    /// Whether the story is drawn at random, and anything may happen in it.
    var isDrawn: Bool { actions > 0 }

    /// - Parameter hasFiles: Drawn unless given.
    init(_ random: RandomSource, inFiles hasFiles: Bool?) {
        func draw(_ count: Int64) -> Int { Int(random.draw(upTo: count - 1)) }
        parks = draw(3) != 0
        maximumFailures = 1 + draw(3)
        maximumCrashes = 1 + draw(3)
        names = 4 + draw(8)
        keys = draw(4)
        processes = 1 + draw(3)
        actions = 60 + draw(140)
        lossChance = [0, 0, 3, 10][draw(4)]
        gateChance = [0, 4, 10][draw(3)]
        hasConsumers = draw(4) == 0
        self.hasFiles = hasFiles ?? (draw(Self.shareOfFiles) == 0)
    }

    /// A story in which nothing is drawn.
    init(parks: Bool, maximumFailures: Int, maximumCrashes: Int, processes: Int, inFiles hasFiles: Bool) {
        self.parks = parks
        self.maximumFailures = maximumFailures
        self.maximumCrashes = maximumCrashes
        self.processes = processes
        self.hasFiles = hasFiles
        (names, keys, actions, lossChance, gateChance, hasConsumers) = (0, 0, 0, 0, 0, false)
    }
}

/// The collections of the queue that stories are about.
enum Names {
    static let name = "jobs"
    static let queue = "queue/jobs"
    static let letters = "dead-letters/jobs"
    static let evicted = "evicted/jobs"
    static let parked = "parked/jobs"
    static let marks = "queue-seen/jobs"
    static let effects = "effects"
    static let task = RecordID("redrives/jobs", "task")

    static func isOfItems(_ collection: String) -> Bool { collection == queue || collection == letters }
}

/// A bug between a queue and its store, for a proof that the model finds it.
package struct PlantedQueueBug: Sendable, CustomStringConvertible {
    package let description: String
    let durability: FileDurability
    let wrap: @Sendable (any RecordStore) -> any RecordStore

    /// - Parameter durability: Of the store, if it is in files.
    package init(
        _ description: String, durability: FileDurability = .everyCommit,
        wrap: @escaping @Sendable (any RecordStore) -> any RecordStore
    ) {
        self.description = description
        self.durability = durability
        self.wrap = wrap
    }
}
