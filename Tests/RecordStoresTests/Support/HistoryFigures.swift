// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting

/// How much of what makes histories hard happened in them.
struct HistoryFigures: Hashable {
    private(set) var calls = 0
    /// Calls that ran while another did.
    private(set) var overlapping = 0
    /// Histories that are not explained by the order in which the calls were made.
    private(set) var reordered = 0
    private(set) var committed = 0
    private(set) var conflicts = 0
    private(set) var moved = 0
    private(set) var claimed = 0
    private(set) var standing = 0
    private(set) var extended = 0
    private(set) var lost = 0

    /// Whether everything happened that can.
    var isVaried: Bool {
        [overlapping, reordered, committed, conflicts, moved, claimed, standing, extended, lost].allSatisfy { $0 > 0 }
    }

    mutating func add(_ history: StoreHistory, _ order: [Int]) {
        let calls = history.calls
        self.calls += calls.count
        overlapping += calls.count { call in
            calls.contains { $0.made != call.made && $0.made < call.returned && call.made < $0.returned }
        }
        if order != calls.indices.sorted(by: { calls[$0].made < calls[$1].made }) { reordered += 1 }
        for call in calls {
            switch call.answer {
            case .commit(.committed):
                committed += 1
                if case .commit(let changes) = call.call.operation { moved += changes.count { $0.destination != nil } }
            case .commit(.conflict): conflicts += 1
            case .claim(let answer):
                claimed += answer.claimed.count
                standing += answer.standing.count
            case .extend(.extended): extended += 1
            case .extend(.lost): lost += 1
            case .read, .scan, .statistics, nil: break
            }
        }
    }
}
