// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What became of a saga that was taken up.
public struct RecoveredSaga: Hashable, Sendable {
    /// What became of a saga, as far as this call took it.
    public enum Outcome: Hashable, Sendable {
        /// It is over or stuck.
        case ended(SagaResult)
        /// It goes on by itself after that time, or when an event comes; `nil` if only when an event comes.
        case waiting(Duration?)
        /// It stays where it is, because this coordinator was told to stop.
        case interrupted
        /// Another coordinator took it over.
        case lost
        /// Its definition is not among those given, or its bytes cannot be read.
        case blocked
    }

    /// The saga.
    public let sagaID: String
    /// What became of it.
    public let outcome: Outcome
}

extension SagaCoordinator {
    /// Drives sagas as they are started and become due, until ``shutDown()`` or the task's cancellation, and returns when
    /// every call has ended. Once at a time.
    ///
    /// Due are sagas that were started, whose coordinator died or let go, whose wait is over, and to which a message
    /// was sent. A store that fails is asked again after 0.1 s, then after twice as long each time up to 10 s, with
    /// jitter; each time is an event.
    ///
    /// - Throws: `CancellationError` if the task was cancelled; `StoreError.closed` or `StoreError.refused`, and any other
    ///   `StoreError` that has come ten times in a row, about half a minute.
    public func run() async throws {
        precondition(
            !isRunning.exchange(true, ordering: .acquiringAndReleasing), "A coordinator runs once at a time")
        defer { isRunning.store(false, ordering: .releasing) }
        let failure = await withDiscardingTaskGroup { sagas in
            do throws(StoreError) {
                try await receive(into: &sagas)
                return StoreError?.none
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        try Task.checkCancellation()
    }

    /// Has ``run()`` take up nothing more, wait for the calls that are under way, let every saga go where it then
    /// stands, and return.
    public func shutDown() { stop.signal() }

    /// How often in a row the store may fail before ``run()`` does.
    private static var storePatience: Int { 10 }

    private func receive(into sagas: inout DiscardingTaskGroup) async throws(StoreError) {
        let slots = HandlerSlots(concurrency)
        let backoff = Backoff.exponential(maximum: .seconds(10))
        var failures = 0
        while true {
            if slots.free == 0 { await stop.cancelling { await slots.waitForOne() } }
            if stop.isStopped || Task.isCancelled { return }
            do throws(StoreError) {
                let answer = try await store.claimDue(
                    in: headers, limit: min(slots.free, RecordLimits.page.upperBound), lease: lease, until: stop)
                failures = 0
                for record in answer.claimed {
                    slots.take(1)
                    sagas.addTask {
                        defer { slots.giveBack() }
                        // What the store failed with has been reported; the lease sees to the saga.
                        _ = try? await self.takeUp(record, now: answer.now)
                    }
                }
            } catch {
                failures += 1
                report(.storeFailed(error), "", nil)
                switch error {
                case .closed, .refused: throw error
                case .full, .unavailable, .outcomeUnknown:
                    guard failures < Self.storePatience else { throw error }
                    let pause = backoff.delay(afterAttempt: failures, using: randomness) ?? .zero
                    let time = time
                    await stop.cancelling { try? await time.sleep(for: pause) }
                }
            }
        }
    }

    /// Drives sagas that are due now, one after the other, until there are none, the limit is reached or ``shutDown()``;
    /// for a process that does not stay, and for tests.
    ///
    /// - Throws: `StoreError`; `CancellationError` if the task was cancelled.
    public func recover(limit: Int = 100) async throws -> [RecoveredSaga] {
        var recovered: [RecoveredSaga] = []
        // What a coordinator that was shut down lets go is due again at once.
        for _ in 0..<limit where !stop.isStopped {
            try Task.checkCancellation()
            let due = ClaimRequest.Selection.due(collection: headers, limit: 1)
            let claim = try await store.claim(ClaimRequest(due, lease: Lease(lease)))
            guard let record = claim.claimed.first else { break }
            let outcome = try await takeUp(record, now: claim.now)
            recovered.append(RecoveredSaga(sagaID: record.id.key, outcome: outcome))
        }
        return recovered
    }

    /// Drives a saga that has just been claimed.
    private func takeUp(_ record: Record, now: Timestamp) async throws(StoreError) -> RecoveredSaga.Outcome {
        let read = try? SagaHeader(record)
        var kept: [SagaRun.Kept]?
        if let read {
            do throws(StoreError) {
                kept = try await history(record.id.key, read.entries)
            } catch {
                report(.storeFailed(error), record.id.key, read.shape)
                throw error
            }
        }
        guard var header = read, let kept else { return try await block(record, nil) }
        guard let (plan, place) = place(of: header, kept), let steps = try? plan.bind(header.input) else {
            return try await block(record, header.shape)
        }
        var news = SagaNews()
        if header.shape != plan.shape {
            news.entries = [SagaEntry(kind: .migrated, reason: "\(header.shape) to \(plan.shape)")]
            header.shape = plan.shape
        }
        if header.entries > 0 || place != SagaState(plan.traits) { news.events = [.resumed] }
        var state = place
        state.resume(maxCrashes: maxCrashes)
        let run = SagaRun(
            record, header: header, steps: steps, state: state, kept: kept, told: (now, time.now()))
        switch try await drive(run, news) {
        case .lost: return .lost
        case .letGo(.ended(let result)): return .ended(result)
        case .letGo(.stuck(let stuck)): return .ended(.stuck(stuck))
        case .letGo(.waiting(let until)): return .waiting(until.map { run.now(time).duration(to: $0) })
        case .letGo(.ready): return .interrupted
        }
    }

    /// The definition under which a saga goes on, and where it stands in that; `nil` if there is none here.
    private func place(of header: SagaHeader, _ kept: [SagaRun.Kept]) -> (SagaPlan, SagaState)? {
        if let plan = plans.first(where: { $0.shape == header.shape }) {
            return SagaState(plan.traits, at: header.position).map { (plan, $0) }
        }
        guard kept.count(where: { $0.entry.kind == .migrated }) < SagaMigration.limit,
            let migration = migration(of: header.shape),
            let plan = plans.first(where: { ($0.shape.name, $0.shape.version) == (migration.definition, migration.to) })
        else { return nil }
        var standing: Set<String> = []
        let called = kept.filter { $0.entry.kind != .skipped && $0.entry.attempts > 0 }.compactMap(\.entry.step)
        for case (let kind, let step?) in kept.map({ ($0.entry.kind, $0.entry.step) }) {
            switch kind {
            case .succeeded, .failed: standing.insert(step)
            case .compensated: standing.remove(step)
            // Of a step that stands it was the compensation.
            case .skipped: if standing.remove(step) == nil { standing.insert(step) }
            case .notApplied, .signalled, .retried, .aborted, .refused, .migrated: break
            }
        }
        return SagaState(plan.traits, migrating: header.position, standing: standing, called: Set(called))
            .map { (plan, $0) }
    }

    func migration(of shape: SagaShape) -> SagaMigration? {
        migrations.first { ($0.definition, $0.from) == (shape.name, shape.version) }
    }

    /// The entries that are kept of a saga, or `nil` if this version of the package cannot read them.
    private func history(_ sagaID: String, _ count: Int) async throws(StoreError) -> [SagaRun.Kept]? {
        guard count > 0 else { return [] }
        guard count <= RecordLimits.page.upperBound else { return nil }
        let records = try await store.read((0..<count).map { entryID(sagaID, $0) }).records
        var kept: [SagaRun.Kept] = []
        for case let record? in records {
            guard let entry = try? SagaEntry(decoding: record.body) else { return nil }
            kept.append(SagaRun.Kept(id: record.id, fence: record.fence, entry: entry))
        }
        return kept.count == count ? kept : nil
    }

    /// Leaves a saga alone that cannot be driven here, and looks at it again after a lease.
    private func block(_ record: Record, _ shape: SagaShape?) async throws(StoreError) -> RecoveredSaga.Outcome {
        let content = RecordContent(
            state: SagaStatus.State.blocked.rawValue, body: record.body, headers: record.headers,
            orderKey: record.orderKey, due: .after(lease), expires: .unchanged)
        let change = Change.replace(record.id, expecting: record.fence, with: content, lease: .end)
        do throws(StoreError) {
            guard case .committed = try await store.commit([change]) else { return .lost }
        } catch {
            report(.storeFailed(error), record.id.key, shape)
            throw error
        }
        report(.blocked(shape), record.id.key, shape)
        return .blocked
    }
}
