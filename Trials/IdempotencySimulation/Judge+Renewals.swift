// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import ReliabilityCore
internal import Synchronization

/// A lease is renewed for as long as its handler runs, whatever has become of the caller.
extension Judge {
    /// A handler that runs, and how often its lease was to be renewed until now.
    struct Running {
        let call: Int
        let process: Int
        let renewals: Int
    }

    /// The handlers that run with protection, in those processes.
    func running(in processes: Set<Int>) -> [Running] {
        state.withLock { state in
            state.calls.values.sorted { $0.number < $1.number }.compactMap { call in
                guard isRunning(state, call), processes.contains(call.process) else { return nil }
                return Running(call: call.number, process: call.process, renewals: call.renewals)
            }
        }
    }

    private func isRunning(_ state: State, _ call: Call) -> Bool {
        guard call.isOpen, let run = call.run, state.runs[run].fence != nil else { return false }
        if case .none = state.runs[run].end { return true }
        return false
    }

    /// Looks at them again after so much time that each lease was to be renewed three times at least.
    func checkRenewals(of running: [Running]) {
        state.withLock { state in
            for each in running {
                guard let call = state.calls[each.call], isRunning(state, call) else { continue }
                // One that is on its way stands for those that would come after it.
                let isExcused =
                    call.isRenewing || state.keys[call.key].isNotRenewed || state.uneven.contains(each.process)
                if !isExcused, call.renewals < each.renewals + 3 {
                    let cancelled = call.isCancelled ? ", whose caller is cancelled," : ""
                    state.accuse("the handler of call \(call.number)\(cancelled) runs, and its lease is not renewed")
                }
            }
        }
    }

    func willRenew(_ number: Int) {
        state.withLock { state in
            state.calls[number]?.renewals += 1
            state.calls[number]?.isRenewing = true
        }
    }

    func hasRenewed(_ number: Int) { state.withLock { $0.calls[number]?.isRenewing = false } }

    /// The clock of a process goes back, which clocks for durations never do: what sleeps by it sleeps for too long.
    func goesBack(process: Int) { state.withLock { _ = $0.uneven.insert(process) } }

    /// A handler goes on although it is cancelled.
    func outstays(_ run: Int) {
        note("run \(run) goes on although it is cancelled")
        state.withLock { _ = $0.outstayed.insert(run) }
    }
}
