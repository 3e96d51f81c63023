// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// An execution's hold on its key, shared by its handler, who keeps checkpoints, and by what renews the lease.
final class IdempotencyHold: Sendable {
    private struct State {
        /// The execution, once it is another than when the handler started.
        var changed: IdempotencyExecution?
        var isKeeping = false
        var changes: [Change] = []
    }

    /// What became of a renewal.
    enum Renewal {
        case renewed
        case lost
        case failed(StoreError)
    }

    /// What there is to tell of a renewal.
    enum Notice {
        case failed(StoreError)
        /// The key was held for the longest time.
        case stopped
        case lost
    }

    let store: any IdempotencyStore
    let lease: Duration
    /// The execution as it was when the handler started.
    let started: IdempotencyExecution
    let onNotice: (@Sendable (Notice, IdempotencyExecution) -> Void)?
    private let state = Locked(State())

    init(
        _ execution: IdempotencyExecution, _ store: any IdempotencyStore, lease: Duration,
        onNotice: (@Sendable (Notice, IdempotencyExecution) -> Void)?
    ) {
        self.store = store
        self.lease = lease
        self.onNotice = onNotice
        started = execution
    }

    var key: IdempotencyKey { started.key }

    /// The execution as the store knows it now.
    var execution: IdempotencyExecution { state.withLock { $0.changed } ?? started }

    /// The changes that go with the value.
    var changes: [Change] { state.withLock { $0.changes } }

    func add(_ changes: [Change]) { state.withLock { $0.changes += changes } }

    /// Moves the end of the lease.
    func renew() async -> Renewal {
        let named = execution
        do throws(StoreError) {
            switch try await store.extend(named, by: lease) {
            case .held(let execution):
                state.withLock { state in
                    // A checkpoint has the lease that it has brought with it.
                    guard fence(in: state) == named.fence else { return }
                    state.changed = named
                    state.changed?.leaseUntil = execution.leaseUntil
                }
                return .renewed
            case .lost(let standing):
                switch meaning(ofRefusing: named, standing) {
                case .outdated: return .renewed
                case .continued: return await renew()
                case .lost: return .lost
                }
            }
        } catch {
            return .failed(error)
        }
    }

    private func fence(in state: State) -> Fence { state.changed?.fence ?? started.fence }

    /// What it means that a renewal was refused.
    private enum Refusal {
        /// A checkpoint has given or is giving another fence, and a new lease with it.
        case outdated
        /// A checkpoint is in of which that was not known; the hold goes on under its fence now.
        case continued
        /// Another execution has the key.
        case lost
    }

    private func meaning(ofRefusing named: IdempotencyExecution, _ standing: IdempotencyEntry?) -> Refusal {
        state.withLock { state in
            if state.isKeeping || fence(in: state) != named.fence { return .outdated }
            guard let continued = standing?.continuation(of: named) else { return .lost }
            state.changed = continued
            return .continued
        }
    }

    /// Keeps a checkpoint.
    func keep(_ checkpoint: IdempotencyCheckpoint) async throws {
        let named = try state.withLock { state in
            guard !state.isKeeping else { throw IdempotencyCheckpointOverlap(key: key) }
            state.isKeeping = true
            return state.changed ?? started
        }
        let kept: IdempotencyExecution?
        do throws(StoreError) {
            kept = try await keep(checkpoint, named)
        } catch {
            state.withLock { $0.isKeeping = false }
            throw error
        }
        state.withLock { state in
            state.isKeeping = false
            if let kept { state.changed = kept }
        }
        if kept == nil { throw IdempotencyHoldLost(key: key) }
    }

    /// The execution after the checkpoint; `nil` if another one has the key.
    private func keep(
        _ checkpoint: IdempotencyCheckpoint, _ named: IdempotencyExecution
    ) async throws(StoreError) -> IdempotencyExecution? {
        do throws(StoreError) {
            switch try await store.checkpoint(named, checkpoint, extendingBy: lease) {
            case .held(let execution): return execution
            case .lost(let standing):
                // An earlier checkpoint may be in, although its call did not say so.
                guard let continued = standing?.continuation(of: named) else { return nil }
                return try await keep(checkpoint, continued)
            }
        } catch {
            guard case .outcomeUnknown = error, let entry = try? await store.read(named.key) else { throw error }
            if entry.settledUnder == named.fence, entry.execution.checkpoint == checkpoint {
                // In; but somebody may have claimed the key since.
                return entry.execution.attempt == named.attempt ? entry.execution : nil
            }
            if entry.execution.fence == named.fence { throw error }
            // An earlier checkpoint may be in, although its call did not say so.
            guard let continued = entry.continuation(of: named) else { return nil }
            return try await keep(checkpoint, continued)
        }
    }
}
