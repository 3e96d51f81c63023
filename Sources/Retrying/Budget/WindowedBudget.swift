// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// First attempts and retries of the last seconds, and how many of the latter the former allow. Every retry costs one.
///
/// A retry that waits is held: it counts, whatever leaves the window meanwhile. When it begins it goes into the step of
/// that moment, which is not before the step of any first attempt that it was granted for, so it is counted for at least
/// as long as those are: nothing is granted twice.
struct WindowedBudget: BudgetCore {
    private struct Step {
        var firstAttempts: Int64 = 0
        var retries: Int64 = 0
    }

    static let countsFirstAttempts = true
    static let countsResults = false

    /// The receipt of a retry that is held; that of one that has begun is the number of its step.
    private static let whileHeld: BudgetReceipt = -1
    /// What one retry is in.
    private static let billion: Int64 = 1_000_000_000
    /// How many steps the window has. One more is kept, so that what is kept is never shorter than the window.
    private static let stepsOfWindow: Int64 = 20

    /// Billionths of a retry for each first attempt.
    private let ratio: Int64
    /// Billionths of a retry in each window.
    private let floor: Int128
    private let step: Int64

    private var kept = [Step](repeating: Step(), count: Int(stepsOfWindow) + 1)
    /// The number of the present step, where it is kept, and when it ends.
    private var present: Int64 = 0
    private var presentSlot = 0
    private var end: Int64
    /// The sum of all steps that are kept.
    private var total = Step()
    /// Retries that were granted and have not begun.
    private var held: Int64 = 0

    /// - Parameter window: In nanoseconds, more than zero.
    init(ratio: Double, minimumPerSecond: Double, window: Int64) {
        self.ratio = Int64((ratio * Double(Self.billion)).rounded())
        floor = Int128((minimumPerSecond * Double(Self.billion)).rounded()) * Int128(window) / Int128(Self.billion)
        step = (window + Self.stepsOfWindow - 1) / Self.stepsOfWindow
        end = step
    }

    mutating func deposit(at now: Int64) {
        advance(to: now)
        kept[presentSlot].firstAttempts += 1
        total.firstAttempts += 1
    }

    mutating func failed(cost: Int64) {}

    mutating func succeeded(after receipt: BudgetReceipt?) {}

    mutating func withdraw(cost: Int64, at now: Int64) -> BudgetReceipt? {
        guard available(cost: cost, at: now) >= 1 else { return nil }
        held += 1
        return Self.whileHeld
    }

    mutating func begin(_ receipt: BudgetReceipt, at now: Int64) -> BudgetReceipt {
        advance(to: now)
        held -= 1
        kept[presentSlot].retries += 1
        total.retries += 1
        return present
    }

    mutating func giveBack(_ receipt: BudgetReceipt, at now: Int64) {
        guard receipt != Self.whileHeld else {
            held -= 1
            return
        }
        advance(to: now)
        // Otherwise it has expired by itself.
        guard present - receipt < Int64(kept.count) else { return }
        kept[slot(of: receipt)].retries -= 1
        total.retries -= 1
    }

    mutating func available(cost: Int64, at now: Int64) -> Int64 {
        advance(to: now)
        let granted = Int128(total.firstAttempts) * Int128(ratio) + floor
        return Int64(clamping: max(0, granted / Int128(Self.billion) - Int128(total.retries) - Int128(held)))
    }

    private func slot(of step: Int64) -> Int { Int(step % Int64(kept.count)) }

    /// Drops the steps that have left the window. A clock that steps back stays in the present step.
    private mutating func advance(to now: Int64) {
        guard now >= end else { return }
        let reached = now / step
        for expired in 0..<min(reached - present, Int64(kept.count)) {
            let slot = slot(of: present + 1 + expired)
            total.firstAttempts -= kept[slot].firstAttempts
            total.retries -= kept[slot].retries
            kept[slot] = Step()
        }
        present = reached
        presentSlot = slot(of: reached)
        end = (reached + 1).multipliedSaturating(by: step)
    }
}
