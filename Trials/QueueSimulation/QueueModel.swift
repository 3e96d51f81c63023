// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import WorkQueues

/// A slow and obvious queue: what has become of every item, by what was committed and what for.
///
/// It is told of every commit and claim that the store carries out, of what the workers mean to do with what they are
/// given, and of what they are answered, and accuses whoever breaks a promise.
struct QueueModel: StoryModel, Sendable {
    enum Place: Hashable {
        case queued
        case letter
        case done
        case evicted
        /// Given to a handler outside the store.
        case elsewhere
    }

    /// What is counted of an item.
    struct Counts: Hashable {
        var deliveries = 0
        var failures = 0
        var crashes = 0
        /// Failures over all its lives.
        var history = 0
    }

    struct Item {
        let serial: Int
        let id: String
        let key: String?
        var payload: [UInt8]
        var place: Place
        /// What it is called where it stands.
        var name: String
        var position: UInt64?
        let createdAt: Timestamp
        var dueAt: Timestamp
        var timeToLive: Duration?
        var isDamaged = false
        var counts = Counts()
        var redrives = 0
        var reason = ""
        /// The hand that has it or had it when its process died.
        var running: Fence?
        /// The fence that the next change has to name.
        var fence: Fence
        var claimedAt: Timestamp?
        /// Which event its claim was, and which that of its coming into the queue.
        var claimEvent = 0
        var queuedEvent: Int
        /// The acts whose handler took its letter, or did not, and whether that counts as a failure.
        var taken: Set<Int> = []
        var refused: [Int: Bool] = [:]
        var evictedBy: Int?
        /// Everybody who was ever given it.
        var hands: [Fence] = []
    }

    /// What a worker means to do with an item.
    enum Intent: Hashable {
        case complete(effect: Bool)
        case retry(delay: Duration, isPermanent: Bool)
        case release(delay: Duration)
        case deadLetter(String, hasError: Bool)
    }

    enum Outcome: Hashable {
        case completed
        case retried(after: Duration)
        case released
        case deadLettered(String)
    }

    /// An item in the hands of a handler.
    struct Hand {
        let serial: Int
        let counts: Counts
        let redrives: Int
        let process: Int
        /// Until when it was promised to the worker.
        var until: Timestamp
        var intent: Intent?
        /// Its handler throws, and a consumer that is cancelled meanwhile lets it go back.
        var mayGoBack = false
        var outcome: Outcome?
        var settledBy = 0
        /// Its process is gone, and everybody knows.
        var isOver = false
    }

    /// What a redrive has done.
    struct Task {
        var moved = 0
        var taken = 0
        var count: Int
        var period: Duration
        var notBefore: Timestamp
    }

    let settings: QueueStorySettings
    var items: [Item] = []
    /// Items by their names in the queue and among the letters.
    var queue: [String: Int] = [:]
    var letters: [String: Int] = [:]
    /// The items of an order key that are queued or letters, in their order.
    var lines: [String: [Int]] = [:]
    var parked: [String: (letters: Int, runsThrough: UInt64)] = [:]
    var marks: [String: Timestamp] = [:]
    var hands: [Fence: Hand] = [:]
    var effects: Set<String> = []
    var task: Task?
    /// What each act puts into the queue, and the plan of one that starts a redrive.
    var puts: [Int: [String: NewWorkItem]] = [:]
    /// The names that each act has put.
    var putBy: [Int: Set<String>] = [:]
    var starts: [Int: Pace] = [:]
    /// The acts in which something was lost on the way to the store or back.
    var losses: Set<Int> = []
    var event = 0
    var violation: String?
    var notes: [String]?
    var summary = QueueStory.Summary()

    init(_ settings: QueueStorySettings, notesAreKept: Bool) {
        self.settings = settings
        notes = notesAreKept ? [] : nil
    }

    /// The items of the same key that were put before and are queued or letters.
    func before(_ item: Item) -> [Item] {
        guard let key = item.key, let line = lines[key], line.first != item.serial else { return [] }
        return line.prefix { $0 != item.serial }.map { items[$0] }
    }

    mutating func add(_ item: Item) {
        items.append(item)
        if let key = item.key { lines[key, default: []].append(item.serial) }
    }

    /// An item leaves for good.
    mutating func leave(_ serial: Int, to place: Place) {
        items[serial].place = place
        items[serial].running = nil
        guard let key = items[serial].key else { return }
        lines[key]?.removeAll { $0 == serial }
    }
}
