// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What became of a saga that a coordinator drove, as far as it did.
enum SagaStop: Hashable, Sendable {
    /// It is over, or waits, or is stuck; nobody holds it.
    case letGo(SagaState.Rest)
    /// Another coordinator took it over.
    case lost
}

/// What has happened to a saga and is not durable yet.
struct SagaNews: Sendable {
    var entries: [SagaEntry] = []
    var events: [SagaEvent.Kind] = []
}

extension SagaCoordinator {
    /// How a call ended, or what else a driver waits for.
    private enum Ended: Sendable {
        case performed(Int, Result<[UInt8], any Error>)
        case asked(Int, Result<(SagaProbeResult, output: [UInt8]), any Error>)
        case undone(Int, Result<Void, any Error>)
        /// A wait may be over: the one until then, or that of the renewal.
        case woke(Timestamp?)
        /// Another coordinator has the saga.
        case lost
    }

    /// The fence under which a saga is held, for its renewal.
    private final class Hold: Sendable {
        let fence: Locked<Fence>
        init(_ fence: Fence) { self.fence = Locked(fence) }
    }

    /// Takes a saga on until it is over, waits, is stuck or is lost.
    ///
    /// A deadline around the coordinator is none of the saga's: calls do not run out of time because of it, which would
    /// be taken for the steps' own failure. If it cancels the coordinator, that is a cancellation like any other.
    func drive(_ taken: SagaRun, _ news: SagaNews) async throws(StoreError) -> SagaStop {
        try await Deadline.withoutCurrent { await driveOn(taken, news) }.get()
    }

    private func driveOn(_ taken: SagaRun, _ news: SagaNews) async -> Result<SagaStop, StoreError> {
        let hold = Hold(taken.fence)
        return await withTaskGroup(of: Ended.self) { group -> Result<SagaStop, StoreError> in
            // What cannot be cancelled is held to its end, also when nobody drives on.
            var renewal: ShieldedCompanion<Ended>?
            defer {
                renewal?.cancel()
                group.cancelAll()
            }
            var (run, news, inFlight) = (taken, news, 0)
            var waits: Set<Timestamp> = []
            while true {
                do throws(StoreError) {
                    switch try await settle(&run, news, inFlight: inFlight) {
                    case .lost:
                        report(.lost, run)
                        return .success(.lost)
                    case .letGo(let rest):
                        return .success(.letGo(rest))
                    case .goesOn(let commands):
                        for command in commands { begin(command, of: run, in: &group) }
                        inFlight += commands.count
                    }
                } catch {
                    report(.storeFailed(error), run)
                    return .failure(error)
                }
                hold.fence.withLock { $0 = run.fence }
                if renewal == nil {
                    let started = ShieldedCompanion { [run] in await self.renew(run, hold) }
                    group.addTask { await started.value }
                    renewal = started
                }
                // Whoever is about to stop begins nothing more, and waits for what is under way alone.
                if !Task.isCancelled, let until = run.state.branches.compactMap(\.wakesAt).min(),
                    waits.insert(until).inserted
                {
                    let wait = max(.zero, run.now(time).duration(to: until))
                    let end = time.now().addingSaturating(wait.nanosecondsRoundedUp)
                    group.addTask {
                        try? await self.time.sleep(until: end)
                        return .woke(until)
                    }
                }
                guard let ended = await group.next() else { preconditionFailure("Nothing of \(run.id) is under way") }
                switch ended {
                case .performed, .asked, .undone: inFlight -= 1
                case .woke(let until):
                    if let until { waits.remove(until) }
                case .lost:
                    report(.lost, run)
                    return .success(.lost)
                }
                news = SagaNews()
                apply(ended, to: &run, &news)
            }
        }
    }

    private func begin(_ command: SagaState.Command, of run: SagaRun, in group: inout TaskGroup<Ended>) {
        let name = { (step: Int) in run.state.traits.steps[step].name }
        switch command {
        case .perform(let index, let attempt):
            report(.stepStarted(step: name(index), attempt: attempt), run)
            let (step, call, limit) = (run.steps[index], run.forwardCall(attempt), actionLimit(index, run))
            group.addTask {
                .performed(index, await self.limited(limit) { try await step.perform(call) })
            }
        case .ask(let index, let attempt):
            let (step, call) = (run.steps[index], run.forwardCall(attempt))
            group.addTask {
                .asked(index, await self.limited(step.attemptLimit) { try await step.ask(call) })
            }
        case .compensate(let index, let attempt):
            report(.compensationStarted(step: name(index), attempt: attempt), run)
            let (step, call) = (run.steps[index], run.call(attempt))
            group.addTask {
                let result = await self.limited(nil) {
                    try await shielded {
                        try await self.limited(step.attemptLimit) { try await step.compensate(call) }.get()
                    }
                }
                return .undone(index, result)
            }
        }
    }

    /// For how long an action may be called: its own limit, or until the saga's deadline where that still counts. It
    /// does not for a pivot that may have taken effect, because what became of that has to be known first.
    private func actionLimit(_ step: Int, _ run: SagaRun) -> Duration? {
        let own = run.steps[step].attemptLimit
        guard run.state.canTurn(step: step), let deadline = run.deadline else { return own }
        let left = max(.nanoseconds(1), run.now(time).duration(to: deadline))
        return min(own ?? left, left)
    }

    private func limited<Success: Sendable>(
        _ limit: Duration?, _ call: @escaping @Sendable () async throws -> Success
    ) async -> Result<Success, any Error> {
        do {
            guard let limit else { return .success(try await call()) }
            return .success(try await Timeout(limit, name: name, clock: clock).run(call))
        } catch {
            return .failure(error)
        }
    }

    /// Extends the hold at every third of the lease, until it is lost or the saga is let go.
    private func renew(_ run: SagaRun, _ hold: Hold) async -> Ended {
        // The only error of the sleep is its cancellation: the saga is let go.
        while (try? await time.sleep(for: lease / 3)) != nil {
            do throws(StoreError) {
                let fence = hold.fence.withLock { $0 }
                guard case .lost(_, let standing) = try await store.extend(run.id, fence: fence, lease: lease) else {
                    continue
                }
                // A commit of our own may have come in between; it has renewed the hold as well.
                guard let holder = standing?.holder, holder == run.holder else { return .lost }
            } catch {
                report(.storeFailed(error), run)
            }
        }
        return .woke(nil)
    }

    // MARK: What a call ended with

    private func apply(_ ended: Ended, to run: inout SagaRun, _ news: inout SagaNews) {
        switch ended {
        case .performed(let step, .success(let output)):
            news.entries = run.state.succeeded(step)
            for index in news.entries.indices { news.entries[index].output = output }
        case .performed(let step, .failure(let error)):
            performFailed(step, error, &run, &news)
        case .asked(let step, .success(let answer)):
            news.events = [.probed(step: run.state.traits.steps[step].name, answer: answer.0)]
            news.entries = run.state.answered(
                step, answer.0, retryAt: retryTime(step, .notApplied, nil, run, mayHaveEffect: false))
            for index in news.entries.indices where news.entries[index].kind == .succeeded {
                news.entries[index].output = answer.output
            }
        case .asked(let step, .failure(let error)):
            let name = run.state.traits.steps[step].name
            guard !Task.isCancelled else { return run.state.leftUnasked(step) }
            let probes = run.state.branch(of: step).map { run.state.branches[$0].probes } ?? 0
            let delay = run.steps[step].compensationRetry.delay(afterAttempt: probes + 1, error, randomness)
            news.events = [.probeFailed(step: name, error: error, retryIn: delay)]
            run.state.askFailed(
                step, SagaFailure(step: name, error: error), retryAt: delay.map { run.now(time).advanced(by: $0) })
        case .undone(let step, .success):
            news.entries = run.state.undone(step)
        case .undone(let step, .failure(let error)):
            let name = run.state.traits.steps[step].name
            let attempts = run.state.branch(of: step).map { run.state.branches[$0].attempts } ?? 1
            let delay = run.steps[step].compensationRetry.delay(afterAttempt: attempts, error, randomness)
            news.events = [.compensationFailed(step: name, error: error, retryIn: delay)]
            run.state.undoingFailed(
                step, SagaFailure(step: name, error: error), retryAt: delay.map { run.now(time).advanced(by: $0) })
        case .woke, .lost:
            break
        }
    }

    private func performFailed(_ step: Int, _ error: any Error, _ run: inout SagaRun, _ news: inout SagaNews) {
        let name = run.state.traits.steps[step].name
        let kind = run.steps[step].classify(error)
        // No error that comes while our own task is cancelled is taken for the step's answer.
        if Task.isCancelled { return run.state.cutShort(step, notApplied: kind == .notApplied || kind == .refused) }
        let retryAt = retryTime(step, kind, error, run, mayHaveEffect: nil)
        news.events = [.stepFailed(step: name, kind: kind, error: error)]
        news.entries = run.state.failed(step, kind, SagaFailure(step: name, error: error), retryAt: retryAt)
    }

    /// When the step's policy would call its action again; `nil` if it would not.
    private func retryTime(
        _ step: Int, _ kind: SagaErrorKind, _ error: (any Error)?, _ run: SagaRun, mayHaveEffect: Bool?
    ) -> Timestamp? {
        guard let index = run.state.branch(of: step) else { return nil }
        let (bound, branch) = (run.steps[step], run.state.branches[index])
        let isOpen = kind == .unknown || (mayHaveEffect ?? branch.mayHaveEffect)
        let policy = bound.retry ?? run.state.standardRetry(step, isOpen: isOpen)
        guard let delay = policy.delay(afterAttempt: branch.attempts, error, randomness) else { return nil }
        let time = run.now(time).advanced(by: delay)
        if let limit = bound.limit, let since = branch.since, since.advanced(by: limit) <= time { return nil }
        return time
    }
}

extension SagaState {
    /// How often an action is called that has no policy of its own.
    ///
    /// - Parameter isOpen: Whether a call may have taken effect.
    fileprivate func standardRetry(_ step: Int, isOpen: Bool) -> SagaRetry {
        switch traits.steps[step].kind {
        case .compensatable, .event, .timer: .never
        case .pivot: isOpen ? .unlimited() : .never
        case .retriable: .unlimited()
        case .reading: traits.isPastPivot(stage) ? .unlimited() : .never
        }
    }
}
