// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// A limiter with all that can be going on in it: grants, reservations that lie ahead, and a line of those who wait.
///
/// Every call takes the earliest moment that leaves each earlier reservation as it is. So nothing that was promised is
/// ever moved, and the place of a reservation that was cancelled is there for whoever comes next. Those in the line have
/// no place yet: the head takes permits when they are there. They come before every call that came after them, because
/// that is placed behind where they are going to be.
package struct LimiterState<Core: LimitCore>: Sendable {
    package internal(set) var core: Core

    /// The grants up to now.
    package internal(set) var base: Core.State

    /// A reservation whose moment has not passed, so that it has not become a grant.
    struct Ahead: Sendable {
        let id: Int
        let moment: Int64
        var permits: Int64
    }

    /// By their moments, those of one moment in the order in which they were made.
    var ahead: [Ahead] = []

    /// A reservation that has become a grant and can still be given back.
    struct Settled: Sendable {
        let id: Int
        var grant: Grant
    }

    /// By their moments, and so by when they lapse.
    var settled: [Settled] = []
    /// The most of them that are kept, so that the memory is bounded. What is forgotten stays taken.
    static var mostSettled: Int { 1_024 }

    /// Of reservations and of those who wait: none is given twice, also not to a state that is made anew for a key.
    package internal(set) var lastID: Int

    package internal(set) var line = WaiterLine()

    /// Which of the limits that there have been is in force. What was granted under another cannot be given back.
    package internal(set) var generation: Int

    /// The furthest reading of the clock. Where the clock steps back, time stands still until it is there again.
    package private(set) var latest: Int64

    /// The furthest moment at which permits were taken.
    private var lastTaken: Int64

    /// At which moment the permits of the head of the line are there, when it was last looked at.
    var plan: (id: Int, moment: Int64)?

    /// Where the line ends, as far as that is known.
    private var lineEnd: Course?

    package init(_ core: Core, base: Core.State, generation: Int = 0, lastID: Int = 0, latest: Int64 = 0) {
        self.core = core
        self.base = base
        self.generation = generation
        self.lastID = lastID
        self.latest = latest
        lastTaken = latest
    }

    package init(_ core: Core) { self.init(core, base: core.fresh) }

    /// Whether the grants up to now are all that there is to know.
    package var isQuiet: Bool { line.isIdle && ahead.isEmpty && settled.isEmpty }

    /// Whether all that is known tells no more than a fresh state, now and at any moment after.
    package func isFresh(at now: Int64) -> Bool {
        var state = self
        state.catchUp(with: now)
        return state.isQuiet && core.isFresh(state.base, at: now)
    }

    /// What a limiter answers.
    package enum Answer: Sendable {
        case granted(Grant, RateLimitDecision)
        case denied(RateLimitDecision)
        /// More was asked for than there can ever be.
        case exceeds(capacity: Int)
    }

    /// Takes permits if they are there and nobody waits.
    package mutating func take(_ permits: Int64, at reading: Int64) -> Answer {
        guard permits <= core.capacity else { return .exceeds(capacity: core.capacity) }
        let now = advance(to: reading)
        guard line.isEmpty, ahead.isEmpty, settled.isEmpty else { return takeAmongOthers(permits, at: now, reading) }
        let moment = core.earliest(permits, in: base, at: now)
        guard moment <= now else {
            return .denied(core.decision(base, at: now, wait: Self.wait(until: moment, from: reading)))
        }
        return granted(permits, at: now)
    }

    private mutating func takeAmongOthers(_ permits: Int64, at now: Int64, _ reading: Int64) -> Answer {
        catchUp(with: now)
        var course = line.isEmpty ? start(at: now) : endOfLine(at: now)
        let moment = place(permits, on: &course)
        guard line.isEmpty, moment <= now else {
            return .denied(decision(after: course, at: now, wait: max(1, Self.wait(until: moment, from: reading))))
        }
        return granted(permits, at: now)
    }

    /// The moment that a reading of the clock stands for; always before `Int64.max`, which stands for never.
    mutating func advance(to reading: Int64) -> Int64 {
        latest = max(latest, min(reading, .max - 1))
        return latest
    }

    /// Takes permits that are there.
    mutating func granted(_ permits: Int64, at now: Int64) -> Answer {
        let grant = Grant(
            permits: permits, mark: core.take(permits, in: &base, at: now), generation: generation)
        lastTaken = max(lastTaken, now)
        lineEnd = nil
        guard !ahead.isEmpty else { return .granted(grant, core.decision(base, at: now, wait: 0)) }
        return .granted(grant, decision(after: start(at: now), at: now, wait: 0))
    }

    /// Tells what `take` would answer and what is there, and takes nothing; `nil` if more is asked for than there can
    /// ever be.
    package mutating func peek(_ permits: Int64, at reading: Int64) -> RateLimitDecision? {
        guard permits <= core.capacity else { return nil }
        let now = advance(to: reading)
        catchUp(with: now)
        var course = line.isEmpty ? start(at: now) : endOfLine(at: now)
        let moment = place(permits, on: &course)
        let mayTake = line.isEmpty && moment <= now
        let wait = mayTake ? 0 : max(1, Self.wait(until: moment, from: reading))
        return decision(after: course, at: now, wait: wait)
    }

    static func wait(until moment: Int64, from now: Int64) -> Int64 {
        moment == .max ? .max : moment.subtractingSaturating(now)
    }
}

/// Going through what lies ahead.
extension LimiterState {
    /// The state at some moment to come, if all that is known happens and nothing else.
    struct Course: Sendable {
        var state: Core.State
        /// The first reservation that is not in the state.
        var next: Int
        var moment: Int64
        /// Until when what it rests on stays true.
        var isTrueUntil = Int64.max
    }

    /// The course from now on.
    func start(at now: Int64) -> Course { Course(state: base, next: 0, moment: now) }

    /// Makes grants of the reservations whose moments have passed, and forgets those that cannot be given back.
    mutating func catchUp(with now: Int64) {
        while let first = ahead.first, first.moment < now {
            let mark = core.take(first.permits, in: &base, at: first.moment)
            let grant = Grant(permits: first.permits, mark: mark, generation: generation)
            settled.append(Settled(id: first.id, grant: grant))
            lastTaken = max(lastTaken, first.moment)
            lineEnd = nil
            ahead.removeFirst()
        }
        while let first = settled.first, settled.count > Self.mostSettled || core.lapse(of: first.grant) <= now {
            settled.removeFirst()
        }
    }

    /// Finds the first moment from where the course has come to at which so many permits can be had, and brings it to
    /// just before that; `Int64.max` if there is none.
    func place(_ permits: Int64, on course: inout Course) -> Int64 {
        while true {
            let moment = core.earliest(permits, in: course.state, at: course.moment)
            guard course.next < ahead.count else { return moment }
            let next = ahead[course.next]
            if moment <= next.moment, leavesTheRest(permits, at: moment, on: course) { return moment }
            _ = core.take(next.permits, in: &course.state, at: next.moment)
            course.moment = max(course.moment, next.moment)
            course.next += 1
        }
    }

    /// Whether all reservations that follow keep their moments if so many permits are taken at a moment.
    private func leavesTheRest(_ permits: Int64, at moment: Int64, on course: Course) -> Bool {
        var state = course.state
        _ = core.take(permits, in: &state, at: moment)
        return ahead[course.next...].allSatisfy { entry in
            guard core.earliest(entry.permits, in: state, at: entry.moment) <= entry.moment else { return false }
            _ = core.take(entry.permits, in: &state, at: entry.moment)
            return true
        }
    }

    /// The answer that counts in all that is to come after a course too.
    private func decision(after course: Course, at now: Int64, wait: Int64) -> RateLimitDecision {
        var course = course
        for entry in ahead[course.next...] { _ = core.take(entry.permits, in: &course.state, at: entry.moment) }
        return core.decision(course.state, at: now, wait: wait)
    }

    /// The course up to where the last of the line has been served.
    mutating func endOfLine(at now: Int64) -> Course {
        if let lineEnd, now <= lineEnd.isTrueUntil { return lineEnd }
        var course = start(at: now)
        course.isTrueUntil = .min
        for waiter in line.waiters { _ = serve(waiter, on: &course) }
        lineEnd = course
        return course
    }

    /// Lets a waiter take its permits as early as it can, and returns when that is.
    func serve(_ waiter: WaiterLine.Waiter, on course: inout Course) -> Int64 {
        let moment = place(waiter.permits, on: &course)
        // The line only has those who can be served; but a limit may have been changed to one that serves nobody.
        guard moment < .max else { return moment }
        _ = core.take(waiter.permits, in: &course.state, at: moment)
        course.moment = moment
        if course.isTrueUntil == .min { course.isTrueUntil = moment }
        return moment
    }

    /// Forgets where the line ends, because something that it rests on has changed.
    mutating func forgetCourse() { lineEnd = nil }

    /// Lets the head of the line take permits as of the moment at which they were there, if reservations lie behind that.
    /// They do not move; so if the head took its permits when it was awake at last, they would be in its way, and it would
    /// have to go behind all of them.
    mutating func takeAsPlanned(_ permits: Int64, by id: Int, at now: Int64) -> Grant? {
        guard let plan, plan.id == id, plan.moment < now else { return nil }
        catchUp(with: plan.moment)
        guard !ahead.isEmpty, lastTaken <= plan.moment else { return nil }
        var course = start(at: plan.moment)
        guard place(permits, on: &course) <= plan.moment,
            case .granted(let grant, _) = granted(permits, at: plan.moment)
        else { return nil }
        return grant
    }

    /// Notes when the permits of whoever is the head now are there, if reservations lie ahead.
    mutating func planHead(at now: Int64) {
        plan = nil
        guard !ahead.isEmpty, let head = line.waiters.first else { return }
        var course = start(at: now)
        plan = (head.id, place(head.permits, on: &course))
    }

    /// Appends one more to the course of the line.
    mutating func extendLine(by waiter: WaiterLine.Waiter, at now: Int64) {
        guard var course = lineEnd else { return }
        _ = serve(waiter, on: &course)
        lineEnd = course
    }
}
