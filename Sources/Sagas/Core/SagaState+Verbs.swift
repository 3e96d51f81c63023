// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaState {
    /// An event came; `false` if it had come before.
    mutating func receive(_ event: String) -> Bool { received.insert(event).inserted }

    /// Whether a retry would change anything.
    var canRetry: Bool { branches.contains { $0.isParked || $0.wakesAt != nil && $0.attempts > 0 } }

    /// What is stuck is tried again, and what waits for its next call is called at once; timers and events wait on.
    ///
    /// - Returns: Whether there was anything.
    mutating func retry() -> Bool {
        guard canRetry else { return false }
        for branch in branches.indices {
            switch branches[branch].activity {
            case .parked(let reason):
                let asks =
                    course == .forward && traits(of: branch).ifUnknown == .probe && branches[branch].mayHaveEffect
                branches[branch].startOver(asks || reason == .probeFailed ? .doubtful : .idle)
            case .waiting where branches[branch].attempts > 0:
                branches[branch].activity = .idle
            case .askingAgain:
                branches[branch].activity = .doubtful
            case .idle, .calling, .interrupted, .doubtful, .asking, .waiting, .listening, .done, .failed, .notApplied:
                break
            }
        }
        return true
    }

    /// Whether the step stands still and is not over.
    func canSkip(_ name: String) -> Bool { branchToSkip(name) != nil }

    private func branchToSkip(_ name: String) -> Int? {
        branches.indices.first { branch in
            guard traits(of: branch).name == name else { return false }
            switch branches[branch].activity {
            case .waiting, .listening, .askingAgain, .parked: return true
            case .idle, .calling, .interrupted, .doubtful, .asking, .done, .failed, .notApplied: return false
            }
        }
    }

    /// The step counts as taken, or as undone, without being called any more.
    ///
    /// - Returns: Whether it stands still and is not over.
    mutating func skip(_ name: String) -> Bool {
        guard let branch = branchToSkip(name) else { return false }
        branches[branch].activity = .done
        return true
    }

    /// Whether the saga can be made to go back.
    var canAbort: Bool { canGoBack && turningBack == nil }

    /// The saga goes back as soon as nothing of the present stage is open. What is parked counts as failed; of the pivot
    /// that says that it took no effect.
    ///
    /// - Returns: Whether it goes forward, and is not past its pivot.
    mutating func abort(because cause: SagaFailure) -> Bool {
        guard canAbort else { return false }
        turningBack = cause
        for branch in branches.indices where branches[branch].isParked {
            let isPivot = traits(of: branch).kind == .pivot
            branches[branch].activity = branches[branch].mayHaveEffect && !isPivot ? .failed : .notApplied
        }
        return true
    }
}
