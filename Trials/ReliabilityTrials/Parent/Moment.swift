// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// When in a child's life it is struck.
enum Moment {
    /// So long after its first acknowledgement.
    case atWork(Duration)
    /// So long after it was started, which may be while it opens the store.
    case atStart(Duration)

    /// One in five strikes at the start; the others 0 to 50 ms after the first acknowledgement.
    static func random(_ context: TrialContext) -> Moment {
        context.random.draw(upTo: 4) == 0
            ? .atStart(context.duration(upTo: .milliseconds(30))) : .atWork(context.duration(upTo: .milliseconds(50)))
    }

    /// Takes what the child reports until the moment has come.
    func wait(for child: Child, in story: inout Story) async throws {
        let delay: Duration
        switch self {
        case .atStart(let duration): delay = duration
        case .atWork(let duration):
            delay = duration
            let isAtWork = try story.follow(child) { event in
                if case .committed = event { true } else { false }
            }
            guard isAtWork else { throw story.failure("the child ended with \(child.wait()) before it did anything") }
        }
        guard try story.follow(child, until: ContinuousClock.now + delay) else {
            throw story.failure("the child ended with \(child.wait()) on its own")
        }
    }
}
