// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A redrive on its way in this process.
struct RedriveCourse {
    var fence: Fence
    let holder: Holder?
    var progress: RedriveProgress
}

/// Letters that are to go together.
struct RedriveBatch {
    let wanted: Int
    var cursor: UInt64?
    var letters: [RedriveDestination.Letter] = []
    var skipped = 0
    /// Whether nothing comes after them.
    var isLast = false
    private var room = RedriveDestination.room
    private var isFull = false

    init(wanted: Int, cursor: UInt64?) {
        self.wanted = wanted
        self.cursor = cursor
        isLast = wanted <= 0
    }

    var isOpen: Bool { letters.count < wanted && !isFull && !isLast }

    /// Leaves letters where they are; those that were asked for count as skipped.
    mutating func leaveOut(_ plan: RedrivePlan, where isOut: (Int) -> Bool) {
        var kept: [RedriveDestination.Letter] = []
        for (index, letter) in letters.enumerated() {
            if !isOut(index) {
                kept.append(letter)
            } else if plan.filter.matches(letter.letter) {
                skipped += 1
            }
        }
        letters = kept
    }

    /// Adds what fits of a page, as far as letters are wanted.
    mutating func add(_ page: ScanAnswer, _ progress: RedriveProgress) {
        for record in page.records {
            guard letters.count < wanted else { return }
            guard room.takes(record) else {
                isFull = true
                return
            }
            cursor = record.position
            guard let letter = try? DeadLetter(record) else {
                skipped += 1
                continue
            }
            let candidate = RedriveDestination.Letter(record: record, letter: letter)
            // Where order counts, those behind the first one go with it, whenever they came.
            guard
                candidate.isFollower
                    || progress.plan.filter.matches(letter) && letter.arrived(in: record) <= progress.startedAt
            else { continue }
            if record.isHeld(at: page.now) {
                skipped += 1
            } else {
                letters.append(candidate)
            }
        }
        if page.next == nil { isLast = true } else if letters.count < wanted { cursor = page.next }
    }
}
