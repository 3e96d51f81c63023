// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The model of a random story: it notes what happens where that is wanted, and what is wrong.
package protocol StoryModel {
    /// The first thing that was wrong.
    var violation: String? { get set }
    /// What happened; `nil` where it is not kept.
    var notes: [String]? { get set }
}

extension StoryModel {
    package mutating func note(_ text: @autoclosure () -> String) { if notes != nil { notes?.append(text()) } }

    /// Something is wrong; only the first such thing counts.
    package mutating func accuse(_ text: @autoclosure () -> String) {
        if violation == nil { violation = text() }
        note("VIOLATION: \(text())")
    }

    package mutating func expect(_ isRight: Bool, _ text: @autoclosure () -> String) { if !isRight { accuse(text()) } }
}
