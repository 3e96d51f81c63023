// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What became of a redrive.
public enum RedriveOutcome: Sendable {
    /// The handler took the letter, and it is removed.
    case redriven
    /// The handler failed with this error; the letter stays with the failure added, at its old place.
    case failed(DeadLetter, any Error)
    /// A guard did not let the handler run; the letter stays, with no failure added.
    case rejected(any Rejection)
    /// No letter of that name stands there.
    case notFound
    /// Another redrive holds the letter, for that long at most, or, with zero, an earlier letter of its order key stands
    /// before it.
    case held(Duration)
    /// The lease passed while the handler ran and another redrive took the letter over; nothing was changed.
    ///
    /// The handler of this redrive may have taken it, and that of the other is given the same letter again.
    case lost
}

extension RecordDeadLetterQueue {
    /// Hands one letter to a handler and removes it if the handler takes it.
    ///
    /// One redrive at a time holds a letter. The count of redrives is durable before the handler runs, so one that
    /// dies with its process counts too. If the handler throws, the same letter stays with the failure added to its
    /// history; its name, its place, its reason and its times never change.
    ///
    /// A handler is given a letter again if its process died, if it was cancelled, or if it outlived its lease. So it
    /// must be safe to repeat: have it use the letter's name as the idempotency key, which is the same every time.
    ///
    /// **Cancellation.** The handler sees it. If it throws while its task is cancelled, the outcome is unknown: the
    /// letter stays, no failure is added, and the call throws what the handler threw.
    ///
    /// - Parameters:
    ///   - id: The letter's name.
    ///   - lease: How long this redrive holds the letter; longer than the handler ever takes. By default 60 s.
    ///   - handler: What processes the letter; it runs in the caller's task and isolation.
    /// - Throws: ``/RecordStores/StoreError``, after which the letter stands unless the handler took it and the removal
    ///   came through; ``UnreadableDeadLetter``; and what the handler threw while the task was cancelled.
    public func redrive(
        _ id: String, lease: Duration = .seconds(60), to handler: (DeadLetter) async throws -> Void
    ) async throws -> RedriveOutcome {
        let claim = try await store.claim(ClaimRequest(.ids([self.id(id)]), lease: Lease(lease)))
        guard let held = claim.claimed.first else {
            return claim.standing.first.map { .held($0.leaseRemaining(at: claim.now)) } ?? .notFound
        }
        let letter: DeadLetter
        do throws(UnreadableDeadLetter) {
            letter = try DeadLetter(held)
        } catch {
            try await settle(.replace(held.id, expecting: held.fence, with: held.content, lease: .end), under: held)
            throw error
        }
        report(id, letter.reason, .redriveStarted)
        do {
            try await handler(letter)
        } catch {
            return try await keep(letter, held, after: error)
        }
        guard try await settle(.delete(held.id, expecting: held.fence), under: held, isLeaving: true) else {
            return lost(letter)
        }
        report(id, letter.reason, .redriven)
        return .redriven
    }

    private func keep(_ letter: DeadLetter, _ held: Record, after error: any Error) async throws -> RedriveOutcome {
        let cancelled = Task.isCancelled
        var kept = letter
        if !cancelled, !(error is any Rejection) {
            kept.failures.append(DeadLetterFailure(error, time: try await store.read([held.id]).now))
        }
        let change = Change.replace(
            held.id, expecting: held.fence, with: kept.content(orderKey: held.orderKey), lease: .end)
        let settled = try await settle(change, under: held)
        // The handler's own cancellation comes before the news of who holds the letter now.
        if cancelled {
            report(letter.id, letter.reason, .redriveInterrupted(error))
            throw error
        }
        guard settled else { return lost(letter) }
        if let rejection = error as? any Rejection {
            report(letter.id, letter.reason, .redriveInterrupted(error))
            return .rejected(rejection)
        }
        report(letter.id, letter.reason, .redriveFailed(error))
        return .failed(kept, error)
    }

    private func lost(_ letter: DeadLetter) -> RedriveOutcome {
        report(letter.id, letter.reason, .redriveLost)
        return .lost
    }

    /// Carries out the change if the letter is still held under that fence, and says whether it is in.
    @discardableResult
    func settle(
        _ change: Change, under held: Record, isLeaving: Bool = false
    ) async throws(StoreError) -> Bool {
        do throws(StoreError) {
            while true {
                let alongside = isLeaving ? try await self.change(leaving: held) : nil
                switch try await store.commit([change] + (alongside.map { [$0] } ?? [])) {
                case .committed: return true
                // Another letter of the key has come or gone.
                case .conflict(let conflict) where conflict.index == 1: continue
                case .conflict: return false
                }
            }
        } catch {
            let names = [held.id] + (change.destination.map { [$0] } ?? [])
            guard case .outcomeUnknown = error, let answer = try? await store.read(names) else { throw error }
            if names.count == 2, answer.records[1]?.changedUnder == held.fence { return true }
            guard let standing = answer.records[0] else {
                // Gone. While it was held, nobody else can have taken it.
                guard held.isHeld(at: answer.now) else { throw error }
                return true
            }
            if standing.fence == held.fence { throw error }
            return standing.changedUnder == held.fence
        }
    }
}

extension Record {
    /// The record's content as it stands.
    fileprivate var content: RecordContent {
        RecordContent(
            state: state, body: body, headers: headers, orderKey: orderKey, due: .unchanged, expires: .unchanged)
    }
}
