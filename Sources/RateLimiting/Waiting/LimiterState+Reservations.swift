// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// What somebody holds: permits that were granted, or a reservation that lies ahead.
package enum Holding: Sendable {
    case granted(Grant)
    case ahead(Int, moment: Int64)

    /// What is held after all but so many permits were given back.
    package func left(with permits: Int64) -> Holding {
        switch self {
        case .granted(let grant): .granted(grant.left(with: permits))
        case .ahead: self
        }
    }
}

extension LimiterState {
    /// What becomes of a reservation.
    package enum Reserving: Sendable {
        case reserved(Holding)
        case denied(RateLimitDecision)
        case exceeds(capacity: Int)
    }

    /// Reserves permits behind all who came before, unless that would be after `deadline` or there are as many
    /// reservations ahead as there may be.
    package mutating func reserve(_ permits: Int64, at reading: Int64, until deadline: Int64, most: Int) -> Reserving {
        guard permits <= core.capacity else { return .exceeds(capacity: core.capacity) }
        let now = advance(to: reading)
        catchUp(with: now)
        var course = line.isEmpty ? start(at: now) : endOfLine(at: now)
        let moment = place(permits, on: &course)
        if line.isEmpty, moment <= now {
            guard case .granted(let grant, _) = granted(permits, at: now) else {
                preconditionFailure("Permits that are there were not granted")
            }
            return .reserved(.granted(grant))
        }
        guard moment <= deadline, moment < .max, ahead.count < most else {
            let wait = max(1, Self.wait(until: moment, from: reading))
            return .denied(core.decision(course.state, at: now, wait: wait))
        }
        return .reserved(insert(permits, at: moment))
    }

    mutating func insert(_ permits: Int64, at moment: Int64) -> Holding {
        lastID += 1
        let index = ahead.firstIndex { $0.moment > moment } ?? ahead.count
        ahead.insert(Ahead(id: lastID, moment: moment, permits: permits), at: index)
        forgetCourse()
        return .ahead(lastID, moment: moment)
    }

    /// What became of permits that were given back.
    package struct Return: Sendable {
        /// Whether any are there again that time has not brought back already.
        package var hasReturned = false
        /// The head of the line, which may be served earlier now, if it is to be resumed.
        package var turn: WaiterLine.Turn?
    }

    /// Gives back the last `permits` of what is left of a holding.
    ///
    /// What was granted under another limit stays taken; what lies ahead is as true under the new one.
    package mutating func giveBack(_ permits: Int64, of holding: Holding, at reading: Int64) -> Return {
        let now = advance(to: reading)
        catchUp(with: now)
        switch holding {
        case .granted(let grant):
            guard grant.generation == generation,
                core.giveBack(permits, of: grant, in: &base, at: now)
            else { return Return() }
        case .ahead(let id, _):
            if let index = ahead.firstIndex(where: { $0.id == id }) {
                ahead[index].permits -= permits
                if ahead[index].permits == 0 { ahead.remove(at: index) }
            } else if let index = settled.firstIndex(where: { $0.id == id }) {
                let grant = settled[index].grant
                settled[index].grant = grant.left(with: grant.permits - permits)
                guard core.giveBack(permits, of: grant, in: &base, at: now) else { return Return() }
            } else {
                // It has lapsed: time has given back what it took.
                return Return()
            }
        }
        forgetCourse()
        return Return(hasReturned: true, turn: line.wakeHead())
    }
}
