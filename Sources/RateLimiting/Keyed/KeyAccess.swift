// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore
internal import Synchronization

/// One key of a limiter, as a limiter.
final class KeyAccess<Key: Hashable & Sendable, Core: LimitCore>: LimiterAccess {
    let owner: KeyedState<Key, Core>
    let key: Key
    private let place: KeyedState<Key, Core>.Place
    /// Whether there was no room for the key. It stays so, because whoever waits or holds permits is known there; new
    /// calls look for room again.
    private let hasNoRoom = Atomic(false)

    init(_ owner: KeyedState<Key, Core>, _ key: Key) {
        self.owner = owner
        self.key = key
        place = owner.place(of: key)
    }

    var settings: LimiterSettings { owner.settings }
    var isShadow: Bool { owner.shadow.isOn.load(ordering: .relaxed) }

    var isOverflowing: Bool { hasNoRoom.load(ordering: .relaxed) }

    var forNewCall: any LimiterAccess { isOverflowing ? KeyAccess(owner, key) : self }

    var lockOwner: ObjectIdentifier { ObjectIdentifier(owner) }

    func presentState<Result: Sendable>(_ body: (inout LimiterState<Core>) -> Result) -> Result? {
        isOverflowing ? owner.overflow.withLock { body(&$0) } : owner.withPresentKey(key, place, body)
    }

    func readState<Result: Sendable>(_ body: (inout LimiterState<Core>, _ isShared: Bool) -> Result) -> Result {
        if isOverflowing { return owner.overflow.withLock { body(&$0, true) } }
        return owner.readKey(key, place, at: owner.settings.time.now(), body)
    }

    func withState<Result: Sendable>(_ body: (inout LimiterState<Core>) -> Result) -> Result {
        if !isOverflowing {
            let result = owner.withKey(key, place, at: owner.settings.time.now()) { keys in
                keys.withState(of: key, tag: place.tag, body)
            }
            if let result { return result }
            hasNoRoom.store(true, ordering: .relaxed)
            settings.report(.overflowed)
        }
        return owner.overflow.withLock { body(&$0) }
    }
}
