// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaState {
    /// An event came; `false` if it had come before.
    mutating func receive(_ event: String) -> Bool { received.insert(event).inserted }

    /// Whether a retry would change anything.
    var canRetry: Bool { branches.indices.contains { canRetry($0) } }

    /// Whether the step is stuck, or waits for its next call.
    private func canRetry(_ branch: Int) -> Bool {
        branches[branch].isParked || branches[branch].wakesAt != nil && !traits(of: branch).kind.isWait
    }

    /// What is stuck is tried again, and what waits for its next call is called at once; timers and events wait on.
    ///
    /// - Parameter seen: The steps that whoever asks for it could see as stuck. What has become so since stays: that it
    ///   may be called again is not what they have made sure of.
    /// - Returns: Whether there was anything.
    mutating func retry(seen: Set<String>) -> Bool {
        let isSeen = branches.indices.map { !branches[$0].isParked || seen.contains(traits(of: $0).name) }
        guard branches.indices.contains(where: { isSeen[$0] && canRetry($0) }) else { return false }
        for branch in branches.indices where isSeen[branch] {
            switch branches[branch].activity {
            case .parked:
                let asks =
                    course == .forward && traits(of: branch).ifUnknown == .probe && branches[branch].mayHaveEffect
                branches[branch].startOver(asks ? .doubtful : .idle)
            case .waiting where !traits(of: branch).kind.isWait:
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
    var canAbort: Bool {
        canGoBack && !isPivotDone && (turningBack == nil || branches.contains(where: \.isParked))
    }

    /// The saga goes back as soon as nothing of the present stage is open. What is parked counts as failed; of the pivot
    /// that says that it took no effect.
    ///
    /// - Parameter seen: The steps that whoever asks for it could see as stuck. A pivot that has become so since stays.
    /// - Returns: Whether it goes forward, and is not past its pivot.
    mutating func abort(because cause: SagaFailure, seen: Set<String>) -> Bool {
        guard canAbort else { return false }
        turningBack = turningBack ?? cause
        for branch in branches.indices {
            let isPivot = traits(of: branch).kind == .pivot
            // It was seen as stuck and may have been made to go on since, but nothing of it has begun.
            let isSeen = seen.contains(traits(of: branch).name) && !branches[branch].hasEnded
            guard isSeen || branches[branch].isParked && !isPivot else { continue }
            branches[branch].activity = branches[branch].mayHaveEffect && !isPivot ? .failed : .notApplied
        }
        return true
    }
}
