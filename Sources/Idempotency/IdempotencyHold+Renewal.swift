// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The renewal of a lease while a handler runs.
extension IdempotencyHold {
    /// Renews the lease at every third of it until the key is lost, the task is cancelled, or so long.
    ///
    /// - Returns: Whether another execution was seen to have the key.
    func renew(_ time: TimeSource, upTo longest: Duration) async -> Bool {
        let end = time.now().addingSaturating(longest.nanosecondsRoundedUp)
        // The only error of the sleep is its cancellation: the handler has ended.
        while (try? await time.sleep(for: lease / 3)) != nil {
            let execution = execution
            guard time.now() < end else {
                onNotice?(.stopped, execution)
                return false
            }
            switch await renew() {
            case .renewed: break
            case .failed(let error): onNotice?(.failed(error), execution)
            case .lost:
                onNotice?(.lost, execution)
                return true
            }
        }
        return false
    }
}
