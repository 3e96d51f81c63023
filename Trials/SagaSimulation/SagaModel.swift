// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas

/// A slow and obvious witness of sagas: what every participant did, what was committed, and what was asked for.
///
/// It is told of every commit and claim that the store carries out and of every call that reaches a participant, and
/// accuses whoever breaks a promise.
struct SagaModel: StoryModel, Sendable {
    /// A batch on its way to the store.
    struct Commit: Sendable {
        let act: Int
        let decidedAt: Duration
        let changes: [Change]
    }

    /// What somebody asks of a saga.
    enum Wish: Hashable, Sendable {
        case event(step: String, payload: Int)
        case retry
        case skip(step: String)
        case abort
    }

    /// A call that ended with an error, until the saga's record tells of it.
    struct Failure: Sendable {
        let number: Int
        let at: Duration
    }

    /// What is counted of the calls of an action or a compensation.
    struct Tries: Sendable {
        var key: String?
        var failures = 0
        var open: Failure?
        var notBefore: Duration?
        /// When the first call was begun.
        var since: Duration?
        var isBegun = false
    }

    /// A step of a saga: its participant's ledger, and what is known of it.
    struct Part: Sendable {
        let step: StoryStep
        let stage: Int
        /// What took effect and is not undone.
        var standing = 0
        var effects = 0
        var output: Int?
        /// Calls up to that number are refused.
        var refusedThrough = 0
        var isAsked = false
        /// Whether somebody said of it that it took no effect.
        var isDenied = false
        var isUndone = false
        var forward = Tries()
        var backward = Tries()
        /// How the way forward ended, and how the way back.
        var end: SagaEntry.Kind?
        var undoEnd: SagaEntry.Kind?
        /// Since when an event or a timer is waited for.
        var shownAt: Duration?
        /// What brought the event, in order.
        var payloads: [Int] = []
        var isSignalled = false

        /// Whether a saga that goes back undoes it: it was called, and nobody said that it took no effect.
        var needsUndoing: Bool {
            step.kind == .compensatable && forward.isBegun && end != .notApplied
                && !(end == nil && isDenied && effects == 0)
        }
    }

    struct Saga: Sendable {
        let id: String
        let definition: StoryDefinition
        let startedAt: Duration
        var parts: [Part]
        /// The act that holds it, and how often each has claimed it.
        var holder: Int?
        var claims: [Int: Int] = [:]
        var status: SagaStatus
        var body: [UInt8]
        var isBack = false
        var entries: [SagaEntry] = []
        /// Wishes that were delivered, by reason, and how often each is in the history.
        var reasons: [String: Int] = [:]

        func index(_ step: String) -> Int? {
            guard let number = Int(step.dropFirst()), parts.indices.contains(number - 1) else { return nil }
            return number - 1
        }
        var isPivotTaken: Bool {
            parts.contains { $0.step.kind == .pivot && ($0.end == .succeeded || $0.end == .skipped) }
        }
    }

    let settings: SagaStorySettings
    var sagas: [String: Saga] = [:]
    /// What each act asks for, with its reason.
    var wishes: [Int: Wish] = [:]
    var delivered: Set<Int> = []
    /// The acts in which a coordinator runs.
    var runs: Set<Int> = []
    /// Whether a bug is planted: no participant remembers keys.
    var forgetsKeys = false
    var callCount = 0
    var violation: String?
    var notes: [String]?
    var summary = SagaStory.Summary()

    init(_ settings: SagaStorySettings, notesAreKept: Bool) {
        self.settings = settings
        notes = notesAreKept ? [] : nil
    }

    /// Whether that act alone may say what becomes of the saga.
    func holds(_ saga: Saga, _ act: Int) -> Bool {
        // Someone that runs can lose a saga and have it again, and the first hold is still about to end.
        saga.holder == act && !(runs.contains(act) && saga.claims[act, default: 0] > 1)
    }
}
