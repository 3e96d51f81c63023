// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What became of a saga.
public enum SagaResult: Hashable, Sendable {
    /// Every step took effect.
    case completed
    /// The saga went back because of that, and every compensation of what had taken effect, or may have, has gone
    /// through.
    case compensated(SagaFailure)
    /// It is neither done nor undone, and cannot go on by itself: somebody has to look.
    case stuck(SagaStuck)
}

/// A saga that was started.
public struct SagaHandle: Sendable {
    let coordinator: SagaCoordinator
    /// The saga's identifier.
    public let id: String

    /// Waits until the saga is over, or stuck, and says what became of it.
    ///
    /// An end that this handle's coordinator writes is told at once; one that another writes is found when the saga is
    /// looked at again, every second. A saga that was stuck and was sent something since is waited for until a
    /// coordinator has heeded that.
    ///
    /// - Throws: `CancellationError` if the task is cancelled, which changes nothing for the saga; ``SagaNotFound``;
    ///   ``UnreadableSaga``; `StoreError`.
    public func result() async throws -> SagaResult {
        while true {
            try Task.checkCancellation()
            // Before the look, so that no end falls in between.
            let waiter = coordinator.waiters.wait(for: id)
            defer { coordinator.waiters.leave(waiter) }
            if let result = try await coordinator.result(id) { return result }
            let time = coordinator.time
            await waiter.signal.cancelling { try? await time.sleep(for: .seconds(1)) }
        }
    }

    /// Where the saga stands.
    ///
    /// - Throws: ``SagaNotFound``; ``UnreadableSaga``; `StoreError`.
    public func status() async throws -> SagaStatus {
        guard let status = try await coordinator.status(id) else { throw SagaNotFound(sagaID: id) }
        return status
    }

    /// What a step of the saga gave, or an event brought.
    ///
    /// - Throws: ``SagaOutputMissing`` if it has not taken effect; ``SagaNotFound``; ``UnreadableSaga``; `StoreError`; a
    ///   decoding error.
    public func output<Input, Output>(of step: SagaStep<Input, Output>) async throws -> Output {
        let entries = try await coordinator.entries(of: id).filter { entry in
            entry.step == step.name && (entry.kind == .succeeded || entry.kind == .signalled && step.kind == .event)
        }
        guard let entry = entries.first(where: { !$0.output.isEmpty }) ?? entries.first else {
            throw SagaOutputMissing(step: step.name)
        }
        return try step.coding.decode(entry.output)
    }
}

/// Those who wait for the ends of sagas that a coordinator drives.
final class SagaWaiters: Sendable {
    struct Waiter: Sendable {
        let sagaID: String
        let number: Int
        let signal: StopSignal
    }

    private struct State {
        var next = 0
        var waiting: [String: [Int: StopSignal]] = [:]
    }

    private let state = Locked(State())

    func wait(for sagaID: String) -> Waiter {
        let signal = StopSignal()
        let number = state.withLock { state in
            defer { state.next += 1 }
            state.waiting[sagaID, default: [:]][state.next] = signal
            return state.next
        }
        return Waiter(sagaID: sagaID, number: number, signal: signal)
    }

    func leave(_ waiter: Waiter) {
        state.withLock { state in
            state.waiting[waiter.sagaID]?[waiter.number] = nil
            if state.waiting[waiter.sagaID]?.isEmpty == true { state.waiting[waiter.sagaID] = nil }
        }
    }

    func tell(_ sagaID: String) {
        let waiting = state.withLock { $0.waiting[sagaID] } ?? [:]
        for signal in waiting.values { signal.signal() }
    }
}
