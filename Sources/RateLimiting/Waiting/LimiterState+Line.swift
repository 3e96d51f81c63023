// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

extension LimiterState {
    /// What becomes of one who wants to wait.
    package enum Joining: Sendable {
        /// The permits were there after all.
        case granted(Grant)
        case joined(Int)
        case refused(RateLimitDecision)
        case exceeds(capacity: Int)
    }

    /// Takes permits, or joins the line if they will be there in time and there is room in it.
    package mutating func join(_ permits: Int64, at now: Int64, until deadline: Int64, most: Int) -> Joining {
        switch take(permits, at: now) {
        case .granted(let grant, _):
            return .granted(grant)
        case .exceeds(let capacity):
            return .exceeds(capacity: capacity)
        case .denied(let decision):
            guard decision.wait < .max, now.addingSaturating(decision.wait) <= deadline, line.count < most else {
                return .refused(decision)
            }
            lastID += 1
            line.join(lastID, permits: permits, deadline: deadline)
            if let last = line.waiters.last { extendLine(by: last, at: now) }
            return .joined(lastID)
        }
    }

    /// What a waiter is to do next.
    package enum Turn: Sendable {
        /// It has taken its permits and has left; whoever is head now is to be resumed.
        case granted(Grant, next: WaiterLine.Turn?)
        /// Its permits are there at a moment, unless it is woken before.
        case sleep(until: Int64)
        /// It is not its turn.
        case suspend
        /// It is out of the line: cancelled, or refused with an error.
        case out((any Error)?)
    }

    /// Lets a waiter look where it stands.
    package mutating func turn(of id: Int, at reading: Int64) -> Turn {
        let now = advance(to: reading)
        switch line.place(of: id) {
        case .out(let error):
            return .out(error)
        case .behind:
            return .suspend
        case .head(let permits):
            if let moment = plan?.moment, let grant = takeAsPlanned(permits, by: id, at: now) {
                return leave(id, with: grant, at: moment)
            }
            catchUp(with: now)
            var course = start(at: now)
            let moment = place(permits, on: &course)
            guard moment <= now, case .granted(let grant, _) = granted(permits, at: now) else {
                plan = (id, moment)
                return .sleep(until: moment)
            }
            return leave(id, with: grant, at: now)
        }
    }

    private mutating func leave(_ id: Int, with grant: Grant, at moment: Int64) -> Turn {
        let departure = line.leave(id)
        forgetCourse()
        planHead(at: moment)
        return .granted(grant, next: departure.next)
    }

    /// Takes a waiter out that no longer waits.
    package mutating func leave(_ id: Int) -> WaiterLine.Departure {
        let departure = line.leave(id)
        forgetCourse()
        return departure
    }

    /// Changes the limit from now on. Reservations keep their moments. Those in the line stay in it, but for those who
    /// can no longer be served in time; they are refused with what `refusal` makes of the answer and their permits.
    /// Returns what is to be resumed.
    package mutating func change(
        to core: Core, generation: Int, at reading: Int64, _ consumed: ConsumedPermits,
        refusal: (Answer, Int64) -> any Error
    ) -> [WaiterLine.Turn] {
        let now = advance(to: reading)
        catchUp(with: now)
        base = core.carriedOver(base, from: self.core, at: now, consumed)
        self.core = core
        self.generation = generation
        settled = []
        plan = nil
        forgetCourse()
        var turns: [WaiterLine.Turn] = []
        var course = start(at: now)
        for waiter in line.waiters {
            let answer: Answer
            if waiter.permits > core.capacity {
                answer = .exceeds(capacity: core.capacity)
            } else {
                let before = course
                let moment = serve(waiter, on: &course)
                if moment <= waiter.deadline, moment < .max { continue }
                course = before
                let wait = max(1, Self.wait(until: moment, from: reading))
                answer = .denied(core.decision(before.state, at: now, wait: wait))
            }
            if let turn = line.refuse(waiter.id, refusal(answer, waiter.permits)) { turns.append(turn) }
        }
        if let turn = line.wakeHead() { turns.append(turn) }
        return turns
    }
}
