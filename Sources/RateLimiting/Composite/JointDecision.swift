// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// What several limiters decide together, while all their locks are held.
struct JointDecision: Sendable {
    /// What one of them says.
    struct Part: Sendable {
        /// Its answer to whether the permits can be had now.
        var decision: RateLimitDecision
        /// What was taken from it; `nil` if nothing was.
        var holding: Holding?
        /// Whether it can never give as many.
        var isExceeded = false
    }

    let permits: Int64
    /// How far ahead the permits are to be, in nanoseconds.
    let wait: Int64
    /// Whether they are taken if all can give them then.
    let takes: Bool
    /// The first wait, not before `wait`, at which each can give them by itself: the longest of all. Above `wait`, all
    /// have to be asked again.
    var needed: Int64
    var parts: [Part] = []

    init(_ permits: Int64, wait: Int64, takes: Bool) {
        self.permits = permits
        self.wait = wait
        self.takes = takes
        needed = wait
    }
}

extension LimiterState {
    /// Finds out when so many permits can be had, lets those that follow find out, and takes the permits if `rest` says
    /// that all agree. A limiter that only watches agrees with everything.
    mutating func decide(
        _ joint: inout JointDecision, at reading: Int64, isShadow: Bool, most: Int, rest: (inout JointDecision) -> Bool
    ) -> Bool {
        let index = joint.parts.count
        guard let decision = peek(joint.permits, at: reading) else {
            joint.parts.append(JointDecision.Part(decision: .never(limit: core.capacity), isExceeded: true))
            if !isShadow { joint.needed = .max }
            return rest(&joint)
        }
        joint.parts.append(JointDecision.Part(decision: decision))
        let needed = needed(for: joint, at: reading, most)
        if !isShadow { joint.needed = max(joint.needed, needed) }
        guard rest(&joint) else { return false }
        guard needed == joint.wait else { return true }
        if joint.wait > 0 {
            joint.parts[index].holding = insert(joint.permits, at: reading + joint.wait)
        } else if case .granted(let grant, let decision) = granted(joint.permits, at: advance(to: reading)) {
            joint.parts[index] = JointDecision.Part(decision: decision, holding: .granted(grant))
        }
        return true
    }

    /// The first wait, not before that of the others, at which the permits can be had.
    private mutating func needed(for joint: JointDecision, at reading: Int64, _ most: Int) -> Int64 {
        let now = advance(to: reading)
        var course = line.isEmpty ? start(at: now) : endOfLine(at: now)
        course.moment = max(course.moment, reading.addingSaturating(joint.wait))
        let moment = place(joint.permits, on: &course)
        if joint.wait == 0, moment <= now { return line.isEmpty ? 0 : 1 }
        if joint.takes, joint.wait > 0, ahead.count >= most { return .max }
        return Self.wait(until: moment, from: reading)
    }
}

extension LimiterAccess {
    func decide(_ joint: inout JointDecision, at reading: Int64, rest: (inout JointDecision) -> Bool) -> Bool? {
        presentState {
            $0.decide(&joint, at: reading, isShadow: isShadow, most: settings.maximumWaiters, rest: rest)
        }
    }

    /// Sees to it that the state is there.
    func prepare() { withState { _ in } }
}
