// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import ReliabilityCore
internal import Synchronization

/// The other side of a handler: what took effect there is the truth, and survives every crash.
final class Provider: Sendable {
    enum Step: Int, Sendable { case reserve, charge }

    struct Effect: Sendable {
        let id: Int
        let key: Int
        let step: Step
        let request: Int
        let run: Int
        let isProtected: Bool
    }

    /// A request that is on its way.
    struct Request: Sendable {
        let key: Int
        let step: Step
        let request: Int
        let run: Int
        /// The execution's fence; `nil` without protection.
        let fence: Fence?
        let downstreamKey: String
    }

    /// What somebody finds out about a key.
    enum Findings {
        case applied(Effect)
        /// Nothing took effect that the next run would do again, and nothing of that execution will any more.
        case notApplied
        case unclear
    }

    private struct State {
        var effects: [Effect] = []
        var byDownstreamKey: [String: Int] = [:]
        var late: [Request] = []
        /// Requests of executions up to that fence are not taken any more.
        var voided: [Int: Fence] = [:]
    }

    private let state = Locked(State())
    /// Whether the same downstream key takes effect once.
    let honoursKeys: Bool

    init(honoursKeys: Bool) { self.honoursKeys = honoursKeys }

    var effects: [Effect] { state.withLock { $0.effects } }
    func effect(_ id: Int) -> Effect? { state.withLock { $0.effects.indices.contains(id) ? $0.effects[id] : nil } }
    var lateCount: Int { state.withLock { $0.late.count } }

    /// What carrying out a request comes to.
    enum Answer { case receipt(Int), voided, otherRequest }

    func apply(_ request: Request) -> Answer {
        state.withLock { state in
            if let fence = request.fence, let voided = state.voided[request.key], fence <= voided { return .voided }
            if honoursKeys, let id = state.byDownstreamKey[request.downstreamKey] {
                return state.effects[id].request == request.request ? .receipt(id) : .otherRequest
            }
            let id = state.effects.count
            state.effects.append(
                Effect(
                    id: id, key: request.key, step: request.step, request: request.request, run: request.run,
                    isProtected: request.fence != nil))
            state.byDownstreamKey[request.downstreamKey] = id
            return .receipt(id)
        }
    }

    /// Lets a request arrive later.
    func delay(_ request: Request) { state.withLock { $0.late.append(request) } }

    /// Lets a delayed request arrive.
    func deliver(_ index: Int) -> (Request, Answer) {
        let request = state.withLock { $0.late.remove(at: index) }
        return (request, apply(request))
    }

    /// Finds out what came of the executions of a key up to `fence`.
    ///
    /// - Parameters:
    ///   - request: Which request the executions are of, if that is known.
    ///   - settled: How many effects there were when the key last got an outcome that is retained no more.
    ///   - voids: Whether this also sees to it that none of their requests is taken any more; else nothing is clear
    ///     as long as one may come.
    ///   - isQuiet: Whether no execution of the key can send anything any more.
    ///   - skipsReservation: Whether the next run goes on behind the reservation.
    func inquire(
        _ key: Int, of request: Int?, upTo fence: Fence, settled: Int, voids: Bool, isQuiet: Bool,
        skipsReservation: Bool
    ) -> Findings {
        state.withLock { state in
            let own = state.effects.dropFirst(settled).filter {
                $0.key == key && (request == nil || $0.request == request) && (honoursKeys || $0.isProtected)
            }
            if let charge = own.last(where: { $0.step == .charge }) { return .applied(charge) }
            if !own.isEmpty, !skipsReservation { return .unclear }
            if voids {
                state.voided[key] = max(state.voided[key] ?? fence, fence)
                return .notApplied
            }
            return isQuiet && !state.late.contains { $0.key == key } ? .notApplied : .unclear
        }
    }
}
