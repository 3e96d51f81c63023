// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Retrying
internal import Synchronization

extension Consumer {
    /// Receives and handles items until ``shutDown()`` or the task's cancellation, and returns when every handler has
    /// ended. Once at a time.
    ///
    /// A store that fails is asked again after 0.1 s, then after twice as long each time up to 10 s, with jitter; each
    /// time is an event.
    ///
    /// - Throws: `CancellationError` if the task was cancelled; `StoreError.closed` or `StoreError.refused`, and any other
    ///   `StoreError` that has come ten times in a row, about half a minute.
    public func run() async throws {
        precondition(
            !isRunning.exchange(true, ordering: .acquiringAndReleasing), "A consumer runs once at a time")
        defer { isRunning.store(false, ordering: .releasing) }
        let failure = await withDiscardingTaskGroup { handlers in
            do {
                try await receive(into: &handlers)
                return (any Error)?.none
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        try Task.checkCancellation()
    }

    /// How often in a row the store may fail before ``run()`` does.
    private static var storePatience: Int { 10 }

    private func receive(into handlers: inout DiscardingTaskGroup) async throws {
        let slots = HandlerSlots(settings.concurrency)
        let backoff = Backoff.exponential(maximum: .seconds(10))
        // Held and not yet started, which nobody counts.
        var ahead: Claimed?
        var failures = 0
        var catchUp = settings.catchUp.map { CatchUpState($0) }
        while true {
            if slots.free == 0 { await stop.cancelling { await slots.waitForOne() } }
            if stop.isStopped || Task.isCancelled { break }
            if let pause = settings.pausedFor?(), pause > .zero {
                await sleep(for: pause)
                continue
            }
            if ahead == nil, let pause = catchUp?.pause(now: queue.time.now()), pause > .zero {
                await sleep(for: pause)
                continue
            }
            do throws(StoreError) {
                if ahead == nil {
                    // Each is bounded by what one claim can have, so that their sum is a number.
                    let limit = min(slots.free, RecordLimits.page.upperBound)
                    let more = min(settings.prefetch, RecordLimits.page.upperBound)
                    ahead = try await claim(upTo: min(limit + more, catchUp?.limit ?? .max))
                    if let ahead { catchUp?.received(ahead) }
                    // A wait that has been ended says what it has found.
                    if stop.isStopped || Task.isCancelled { break }
                }
                guard let claimed = ahead else { continue }
                let next = claimed.records.prefix(slots.free)
                // Whatever becomes of the start, these are not ahead any more: the lease sees to them.
                ahead = claimed.dropping(next.count)
                let now = claimed.now(queue.time.now())
                for delivery in try await queue.start(Array(next), now: now, lease: settings.lease) {
                    slots.take(1)
                    handlers.addTask {
                        await self.handle(delivery)
                        slots.giveBack()
                    }
                }
                failures = 0
            } catch {
                failures += 1
                queue.report("", .receiveFailed(error))
                switch error {
                case .closed, .refused: throw error
                case .full, .unavailable, .outcomeUnknown:
                    guard failures < Self.storePatience else { throw error }
                    let pause = backoff.delay(afterAttempt: failures, using: queue.randomness) ?? .zero
                    await sleep(for: pause)
                }
            }
        }
        if let ahead { await giveBack(ahead.records) }
    }

    /// Sleeps until then, the signal to stop, or cancellation.
    private func sleep(for duration: Duration) async {
        let time = queue.time
        await stop.cancelling { try? await time.sleep(for: duration) }
    }

    /// Claims what is due, and waits for it until the signal to stop or cancellation; `nil` if there was nothing.
    private func claim(upTo limit: Int) async throws(StoreError) -> Claimed? {
        let answer = try await queue.store.claimDue(
            in: queue.collection, limit: min(limit, RecordLimits.page.upperBound), lease: settings.lease, until: stop)
        return answer.claimed.isEmpty ? nil : Claimed(answer, at: queue.time.now())
    }

    /// Lets go of items that no handler was given.
    private func giveBack(_ records: ArraySlice<Record>) async {
        for record in records {
            guard let item = try? HeldItem(record) else { continue }
            do throws(StoreError) {
                _ = try await queue.settle([item.handingBack], under: record)
            } catch {
                queue.report(record.id.key, .settlementFailed(error))
            }
        }
    }

    // MARK: One item

    private func handle(_ delivery: Delivery) async {
        let message: Message
        do {
            message = try decode(delivery.item)
        } catch {
            return await settle(delivery) { _ = try await delivery.deadLetter(.undecodable, error) }
        }
        let context = ConsumerContext(delivery)
        var verdict: ConsumerVerdict?
        let end = await watched {
            verdict = try await self.handler(message, context)
        } by: {
            await self.renew(delivery)
        }
        // It has passed into other hands, or is about to: there is nothing to settle.
        if end.isCancelled { return }
        let outcome = verdict ?? self.verdict(on: end.failure ?? CancellationError())
        await settle(delivery) { try await self.settle(delivery, outcome, context) }
    }

    /// Renews the lease until the item is lost, or has been held for as long as it may be and the lease has run out;
    /// says whether that came before the handler's end.
    private func renew(_ delivery: Delivery) async -> Bool {
        let lease = settings.lease.nanosecondsRoundedUp
        let third = (settings.lease / 3).nanosecondsRoundedDown
        var end = delivery.receivedAt.addingSaturating(lease)
        while true {
            // Up to a tenth sooner, so that consumers that began together do not go on together.
            let early = queue.randomness.draw(upTo: third / 10)
            guard (try? await queue.time.sleep(for: .nanoseconds(third - early))) != nil else { return false }
            do {
                let now = queue.time.now()
                try await delivery.extend(by: settings.lease)
                end = now.addingSaturating(lease)
            } catch is DeliveryLost {
                return true
            } catch let error as StoreError {
                queue.report(delivery.item.id, .renewalFailed(error))
            } catch {
                // For as long as it may be: with the lease ends the handler's right to the item.
                queue.report(delivery.item.id, .heldTooLong)
                return (try? await queue.time.sleep(until: end)) != nil
            }
        }
    }

    /// What an error of a handler means for its item.
    private func verdict(on error: any Error) -> ConsumerVerdict {
        // What cancels the consumer is no fault of the item.
        if Task.isCancelled { return .release(after: .zero, because: error) }
        if let rejection = error as? any Rejection, !(error is any Permanent) {
            return .release(after: rejection.retryAfter ?? Self.rejectionDelay, because: error)
        }
        return .retry(after: error)
    }

    /// How long an item waits that was rejected by something that does not say how long it will.
    private static var rejectionDelay: Duration { .seconds(1) }

    private func settle(
        _ delivery: Delivery, _ verdict: ConsumerVerdict, _ context: ConsumerContext
    ) async throws {
        do {
            switch verdict {
            case .complete: try await delivery.complete(alsoCommit: context.alongside)
            case .retry(let error, let delay, let changes):
                try await delivery.retry(after: error, delay: delay, alsoCommit: changes)
            case .release(let delay, let error, let changes):
                try await delivery.release(after: delay, because: error, alsoCommit: changes)
            case .deadLetter(let reason, let error, let changes):
                try await delivery.deadLetter(reason, error, alsoCommit: changes)
            }
        } catch let error as DeliveryConflict {
            try await delivery.retry(after: error)
        } catch StoreError.refused(let input) {
            // Changes that the store does not take are the handler's, and left to the lease they would be a crash.
            try await delivery.retry(after: StoreError.refused(input))
        } catch StoreError.full(let failure) {
            // There is no room beside the item, which is no fault of it.
            try await delivery.release(after: settings.lease, because: StoreError.full(failure))
        }
    }

    /// What cannot be settled is left to its lease, and told.
    private func settle(_ delivery: Delivery, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch is DeliveryLost {
            // The event has told it.
        } catch {
            queue.report(delivery.item.id, .settlementFailed(error))
        }
    }
}

/// Records that are held, with the store's time as of then.
private struct Claimed {
    private(set) var records: ArraySlice<Record>
    let storeTime: Timestamp
    /// The queue's clock at that time, or later.
    let time: Int64

    init(_ answer: ClaimAnswer, at time: Int64) {
        (records, storeTime, self.time) = (answer.claimed[...], answer.now, time)
    }

    /// The store's time now, as far as one knows without asking.
    func now(_ time: Int64) -> Timestamp {
        storeTime.advanced(by: .nanoseconds(time.subtractingSaturating(self.time)))
    }

    /// What is left without the first ones; `nil` if that is nothing.
    func dropping(_ count: Int) -> Claimed? {
        var rest = self
        rest.records = records.dropFirst(count)
        return rest.records.isEmpty ? nil : rest
    }
}

extension CatchUpState {
    fileprivate mutating func received(_ claimed: Claimed) {
        let oldest = claimed.records.compactMap(\.dueAt).min() ?? claimed.storeTime
        received(claimed.records.count, dueFor: oldest.duration(to: claimed.storeTime), now: claimed.time)
    }
}
