// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What an operation does with its keys, whatever the type of its output: outcomes are bytes here.
///
/// It is apart from ``IdempotentOperation`` because code that is generic over a type of another module looks that type up
/// again at every turn.
final class IdempotencyEngine: Sendable {
    /// ``UnknownPolicy`` with the probe's answer erased.
    enum Policy {
        case reexecute
        case park
        case probe(@Sendable (UnknownExecution) async throws -> ProbeResult<any Sendable>)
    }

    /// One call of an operation; its holder's nonce marks every claim it makes.
    struct Call: Sendable {
        let key: IdempotencyKey
        let fingerprint: Fingerprint
        let holder: Holder
    }

    struct Options: Sendable {
        var lease: Duration
        var longestHold: Duration
        var retention: Duration
        var maximumOutputSize: Int
        var ifInFlight: InFlightPolicy
        var ifStoreFails: StoreFailurePolicy
        var acceptsIncomparable: Bool
    }

    let name: String
    let store: any IdempotencyStore
    let options: Options
    let ifUnknown: Policy
    let time: TimeSource
    let waiters = KeyWaiters()
    private let onEvent: (@Sendable (IdempotencyEvent) -> Void)?

    init(
        _ name: String, _ store: any IdempotencyStore, _ options: Options, _ ifUnknown: Policy, _ time: TimeSource,
        _ onEvent: (@Sendable (IdempotencyEvent) -> Void)?
    ) {
        self.name = name
        self.store = store
        self.options = options
        self.ifUnknown = ifUnknown
        self.time = time
        self.onEvent = onEvent
    }

    func emit(
        _ outcome: IdempotencyEvent.Outcome, _ key: IdempotencyKey, _ fence: Fence? = nil, _ error: (any Error)? = nil
    ) {
        guard let onEvent else { return }
        onEvent(IdempotencyEvent(operation: name, outcome: outcome, key: key, fence: fence, error: error))
    }

    func unreadable(_ key: IdempotencyKey, _ cause: any Error) -> IdempotencyRecordUnreadable {
        emit(.unreadable, key, nil, cause)
        return IdempotencyRecordUnreadable(key: key, cause: cause)
    }

    /// What is kept of a value, by its size.
    func kept(_ value: [UInt8]) -> IdempotencyOutcome {
        value.count > options.maximumOutputSize ? .omitted(size: value.count) : .value(value)
    }

    func hold(_ execution: IdempotencyExecution) -> IdempotencyHold {
        guard onEvent != nil else { return IdempotencyHold(execution, store, lease: options.lease, onNotice: nil) }
        return IdempotencyHold(execution, store, lease: options.lease) { notice, execution in
            let (key, fence) = (execution.key, execution.fence)
            switch notice {
            case .failed(let error): self.emit(.renewalFailed, key, fence, error)
            case .stopped: self.emit(.renewalEnded, key, fence)
            case .lost: self.emit(.leaseLost, key, fence)
            }
        }
    }
}

/// What is wrong with an entry that cannot be read.
struct UnreadableEntry: Error, CustomStringConvertible {
    let description: String
}
