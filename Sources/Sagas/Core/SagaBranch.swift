// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Where one step of the present stage stands.
struct SagaBranch: Hashable, Sendable {
    /// What is going on.
    enum Activity: Hashable, Sendable {
        /// Its call comes next; of an event or a timer, its wait.
        case idle
        /// Its action or compensation is called, or was when its coordinator ended.
        case calling
        /// It was being called when its coordinator was told to stop: what the call did is unknown.
        case interrupted
        /// Its probe comes next.
        case doubtful
        /// Its probe is asked, or was when its coordinator ended.
        case asking
        /// It is called again then; of an event or a timer, its time is up.
        case waiting(until: Timestamp)
        /// An event is waited for without end.
        case listening
        /// Its probe is asked again then.
        case askingAgain(at: Timestamp)
        /// It cannot go on by itself.
        case parked(SagaStuck.Reason)
        /// The action took effect, or the compensation went through, or somebody said so.
        case done
        /// The action failed for good and may have taken effect.
        case failed
        /// The action failed for good and certainly took no effect.
        case notApplied
    }

    var activity = Activity.idle
    /// How many calls of the action or the compensation were begun, but for those that our own cancellation cut short.
    var attempts = 0
    /// How many of them their coordinator did not survive.
    var crashes = 0
    /// How often the probe failed since it was last answered.
    var probes = 0
    /// Whether an earlier call than the present one may have taken effect.
    var mayHaveEffect = false
    /// When the first call was begun; of an event or a timer, when its wait was.
    var since: Timestamp?
    /// Whether the last call ended, and failed.
    var hasFailed = false
    /// What the first and the last failing call ended with.
    var firstFailure: SagaFailure?
    var lastFailure: SagaFailure?
    /// What the probe failed with last.
    var askFailure: SagaFailure?

    /// Whether it goes on by itself.
    var goesOn: Bool {
        switch activity {
        case .idle, .calling, .interrupted, .doubtful, .asking, .waiting, .askingAgain: true
        case .listening, .parked, .done, .failed, .notApplied: false
        }
    }

    /// Whether nothing more comes of it in this direction.
    var hasEnded: Bool {
        switch activity {
        case .done, .failed, .notApplied: true
        case .idle, .calling, .interrupted, .doubtful, .asking, .waiting, .listening, .askingAgain, .parked: false
        }
    }

    /// Whether what it did, or may have done, is undone when the saga goes back.
    var needsUndoing: Bool { activity == .done || activity == .failed }

    /// Whether its probe comes next, now or later.
    var isInQuestion: Bool {
        switch activity {
        case .doubtful, .askingAgain: true
        case .idle, .calling, .interrupted, .asking, .waiting, .listening, .parked, .done, .failed, .notApplied: false
        }
    }

    var isParked: Bool {
        if case .parked = activity { true } else { false }
    }

    /// When it goes on by itself, if it waits.
    var wakesAt: Timestamp? {
        switch activity {
        case .waiting(let until), .askingAgain(let until): until
        case .idle, .calling, .interrupted, .doubtful, .asking, .listening, .parked, .done, .failed, .notApplied: nil
        }
    }

    mutating func failed(with failure: SagaFailure) {
        hasFailed = true
        firstFailure = firstFailure ?? failure
        lastFailure = failure
    }

    mutating func call(now: Timestamp) {
        activity = .calling
        attempts += 1
        hasFailed = false
        since = since ?? now
    }

    /// What was counted begins anew; what may have happened stays.
    mutating func startOver(_ activity: Activity) {
        self.activity = activity
        (attempts, crashes, probes, since) = (0, 0, 0, nil)
    }
}
