// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// What a bucket knows, in ticks: the moment at which it is full again.
///
/// Every permit occupies a stretch of time, one interval long, from when it was taken or from the end of the stretches
/// before it, whichever is later. No two overlap: that alone makes the promise. When permits are given back, what of
/// their stretch lies ahead is cut out, and what follows moves up: that is allowed, because all that follows has been
/// taken by now. What lies behind has come back with time.
///
/// A mark says where a stretch was when it was taken. To find it again, the cuts are remembered as the gaps that they
/// would have left, as long as there can be stretches that have moved up over them.
package struct BucketState: Sendable {
    /// A cut, where it would be if nothing had moved up.
    struct Gap: Sendable, Equatable {
        var start: Int64
        var length: Int64

        var end: Int64 { start + length }
    }

    /// The most gaps that are kept, so that the memory is bounded. Permits that would leave one more stay consumed.
    static let mostGaps = 1_024
    /// A mark so far behind that what was taken with it has come back with time.
    private static let lost = -RateLimit.longestFill

    /// The theoretical arrival time: where the last stretch ends.
    package var tat: Int64

    /// In the order of time, none touching the next, but for the first: if it starts at `Int64.min`, it stands for
    /// several gaps that lie behind. `nil` if there are none, which is nearly always.
    private(set) var gaps: [Gap]?

    package init(tat: Int64 = 0) { self.tat = tat }

    /// Takes the stretch that comes next, and returns its mark.
    ///
    /// Reservations that were made under another limit can take more than any bucket holds. Then it is empty for as long
    /// as any may be, and the mark is one that gives nothing back.
    @inline(__always)
    mutating func take(_ length: Int64, at now: Int64) -> Int64 {
        let start = max(tat, now)
        if gaps != nil { forgetGaps(ending: now) }
        let end = start.addingSaturating(length)
        guard end.subtractingSaturating(now) <= RateLimit.longestFill else {
            tat = max(tat, now.addingSaturating(RateLimit.longestFill))
            return Self.lost
        }
        tat = end
        return gaps == nil ? start : mark(at: start, length)
    }

    /// The mark of a stretch that is there with gaps before it; one that gives nothing back if it would be past what
    /// can be counted, because more has been cut out than time has gone by.
    private func mark(at start: Int64, _ length: Int64) -> Int64 {
        let mark = start.addingSaturating(cut)
        return mark.addingSaturating(length) < .max ? mark : Self.lost
    }

    /// Gives a stretch back, and returns whether any of it lies ahead.
    mutating func giveBack(_ mark: Int64, _ length: Int64, at now: Int64) -> Bool {
        forgetGaps(ending: now)
        foldGaps(before: now)
        let start = mark.subtractingSaturating(
            (gaps ?? []).reduce(0) { $1.start < mark ? $0.addingSaturating($1.length) : $0 })
        let returned = start + length - max(start, now)
        let end = tat.addingSaturating(cut)
        guard returned > 0 else { return false }
        if mark + length == end {
            tat -= returned
            removeGaps(upTo: end - returned)
            return true
        }
        guard insert(Gap(start: mark + length - returned, length: returned)) else { return false }
        tat -= returned
        return true
    }

    /// Whether all lies behind, and no mark can tell otherwise.
    func isPast(at now: Int64) -> Bool { tat <= now && (gaps == nil || tat.addingSaturating(cut) <= now) }

    /// All that was cut out.
    private var cut: Int64 { gaps?.reduce(0) { $0.addingSaturating($1.length) } ?? 0 }

    /// Forgets the gaps if even what has not moved up over them lies behind.
    private mutating func forgetGaps(ending now: Int64) {
        if gaps != nil, tat.addingSaturating(cut) <= now { gaps = nil }
    }

    /// Makes one of several gaps that lie behind: whatever is still ahead has moved up over all of them.
    private mutating func foldGaps(before now: Int64) {
        guard var all = gaps else { return }
        var folded: Int64 = 0
        var count = 0
        for gap in all where gap.start.subtractingSaturating(folded) < now {
            folded = folded.addingSaturating(gap.length)
            count += 1
        }
        guard count > 1 else { return }
        all.replaceSubrange(..<count, with: [Gap(start: .min, length: folded)])
        gaps = all
    }

    /// Forgets the gaps that nothing follows any more.
    private mutating func removeGaps(upTo end: Int64) {
        var end = end
        while let last = gaps?.last, last.start > .min, last.end == end {
            end = last.start
            gaps?.removeLast()
        }
        if gaps?.isEmpty == true { gaps = nil }
    }

    private mutating func insert(_ gap: Gap) -> Bool {
        var all = gaps ?? []
        let index = all.firstIndex { $0.start >= gap.end } ?? all.count
        let touchesNext = index < all.count && all[index].start == gap.end
        let touchesPrevious = index > 0 && all[index - 1].start > .min && all[index - 1].end == gap.start
        switch (touchesPrevious, touchesNext) {
        case (true, true):
            all[index - 1].length += gap.length + all[index].length
            all.remove(at: index)
        case (true, false):
            all[index - 1].length += gap.length
        case (false, true):
            all[index] = Gap(start: gap.start, length: gap.length + all[index].length)
        case (false, false):
            guard all.count < Self.mostGaps else { return false }
            all.insert(gap, at: index)
        }
        gaps = all
        return true
    }
}
