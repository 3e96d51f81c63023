// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores

/// Messages, which are delivered at least once.
extension IdempotencyStory {
    /// Delivers a message that is not acknowledged, or at times any, also while a delivery of it is handled.
    mutating func startDelivery() {
        let mailbox = world.mailbox
        guard has(.messages), !mailbox.keys.isEmpty, !processes.isEmpty, open.count < settings.clients + 2 else {
            return
        }
        let left = mailbox.left
        if left.isEmpty || draw(5) == 0 {
            deliver(mailbox.keys.lowerBound + draw(mailbox.keys.count))
        } else {
            deliver(pick(left))
        }
    }

    private mutating func deliver(_ key: Int) {
        let process = pick(processes)
        callCount += 1
        summary.deliveries += 1
        let call = Judge.Call(number: callCount, key: key, request: 0, process: process.life.number)
        open.append((call, process.life.number, process.deliver(call)))
    }

    /// Delivers again what is not acknowledged when all is quiet; `false` if nothing is left.
    mutating func deliverWhatIsLeft() -> Bool {
        guard has(.messages), let key = world.mailbox.left.first else { return false }
        guard judge.deliveries(of: key) < 1_000 else {
            judge.accuse("message \(key) is never handled")
            return false
        }
        deliver(key)
        return true
    }

    /// Delivers a message once more when all is quiet, and looks whether it is known.
    mutating func auditMessage(_ key: Int, _ entry: IdempotencyEntry?) {
        guard case .completed(_, let at, _)? = entry?.state else { return judge.checkUnmarked(key) }
        deliver(key)
        guard let call = comeToEnd(callCount), judge.isRetained(at) else { return }
        if case .success(.duplicate)? = call.delivery { return }
        let outcome = call.delivery.map { "\($0)" } ?? "nothing"
        judge.accuse("message \(key) is marked, and delivery \(call.number) came to \(outcome)")
    }
}
