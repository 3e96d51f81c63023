// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores
internal import ReliabilityCore

/// What kind of story it is.
struct SagaStorySettings: Sendable {
    let definitions: [StoryDefinition]
    let sagas: Int
    let actions: Int
    let lossChance: Int64
    /// In how many cases of a hundred a call stops on its way until the story lets it go on.
    let gateChance: Int64
    /// In how many cases of a hundred a participant fails.
    let failureChance: Int64
    /// The one step that refuses whatever is asked of it until all is calm, if there is one.
    let refusing: String?
    let maxCrashes: Int

    /// Whether nothing is ever under way while time passes.
    var isPunctual: Bool { gateChance == 0 }

    static let lease = Duration.seconds(30)

    init(_ random: RandomSource, features: Set<SagaStory.Feature>) {
        func draw(_ count: Int64) -> Int { Int(random.draw(upTo: count - 1)) }
        definitions = ["one", "two"].map { StoryDefinition($0, random, features: features) }
        sagas = 1 + draw(2)
        actions = 20 + draw(45)
        let (losses, gates) = ([0, 0, 4, 10][draw(4)], [0, 3, 8][draw(3)])
        lossChance = features.contains(.losses) ? Int64(losses) : 0
        gateChance = features.contains(.gates) ? Int64(gates) : 0
        failureChance = Int64([0, 8, 20, 40][draw(4)])
        let (refuses, number) = (draw(2) == 0, 1 + draw(9))
        refusing = refuses ? "s\(number)" : nil
        maxCrashes = 1 + draw(3)
    }
}

/// The collections of the coordinators that stories are about.
enum Names {
    static let name = "trips"
    static let headers = "sagas/trips"
    static let log = "saga-log/trips"
    static let mail = "saga-mail/trips"
}

/// A bug between coordinators and their store, or in what they call, for a proof that the model finds it.
package struct PlantedSagaBug: Sendable, CustomStringConvertible {
    /// What participants do wrong.
    package enum Participant: Sendable {
        case none
        /// An action tells its participant another key on each attempt.
        case changesKeys
        /// A compensation says that it has undone what it has not.
        case undoesNothing
        /// The other side of a step that is called again does not remember keys.
        case forgetsKeys
        /// A probe says that nothing took effect, and does not look.
        case probesNothing
        /// An action gives something else each time.
        case changesOutputs
    }

    package let description: String
    let participant: Participant
    let wrap: @Sendable (any RecordStore) -> any RecordStore

    package init(
        _ description: String, participant: Participant = .none,
        wrap: @escaping @Sendable (any RecordStore) -> any RecordStore = { $0 }
    ) {
        self.description = description
        self.participant = participant
        self.wrap = wrap
    }
}
