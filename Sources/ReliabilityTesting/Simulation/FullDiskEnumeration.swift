// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

package import RecordStores

/// A disk that is full at every point: nothing is lost, what stands can be worked on, and room makes the store go on.
package struct FullDiskEnumeration {
    package typealias Violation = StoreSimulation.Violation

    private static let standing = (0..<12).map { "\(Character(UnicodeScalar(UInt8(ascii: "a") + UInt8($0))))" }
    private static let newcomers = (0..<60).map { "new \($0)" }

    private let base: StoreSimulation
    private let outcomes: Int
    package private(set) var counts = StoreEnumeration.Counts()

    /// - Parameter outcomes: how many outcomes of a loss of power are tried of each.
    package init(durability: FileDurability, committer: FileCommitter = .ownThread, outcomes: Int) throws(Violation) {
        var layout = FileStoreLayout.small
        layout.reserve = 49_152
        var base = StoreSimulation(seed: 1, durability: durability, committer: committer, layout: layout)
        try base.carryOut([.open, .insert(Self.standing), .settle, .close])
        self.base = base
        self.outcomes = outcomes
    }

    /// Lets the disk have so many bytes more than the store takes, for each of them.
    ///
    /// - Parameter isFullBefore: whether the disk is full when the store is opened, or once it is open.
    package mutating func fill(spare: StrideTo<Int>, isFullBefore: Bool) throws(Violation) {
        for spare in spare {
            do throws(Violation) {
                counts.faults += 1
                try fill(spare: spare, isFullBefore: isFullBefore)
            } catch {
                throw error.of("\(base.durability), \(spare) bytes\(isFullBefore ? " before it is opened" : "")")
            }
        }
    }

    private mutating func fill(spare: Int, isFullBefore: Bool) throws(Violation) {
        var course = base.anotherCourse()
        if isFullBefore { course.disk.capacity = course.disk.usedBytes + spare }
        guard try course.open() else { throw course.violation("the full disk keeps the store from being opened") }
        if !isFullBefore { course.disk.capacity = course.disk.usedBytes + spare }
        for key in Self.newcomers where !course.isFull { try course.carryOut([.insert([key], .large), .settle]) }
        guard course.isFull else { throw course.violation("the disk never was full") }
        // Who stands is worked on, and ends.
        for key in Self.standing {
            try course.carryOut([.replace([key]), .claim(key, .seconds(60)), .settle])
            guard course.answered(2) else { throw course.violation("a full disk stops work on \(key)") }
        }
        for key in Self.standing.prefix(4) {
            try course.carryOut([.delete([key]), .settle])
            guard course.answered(1) else { throw course.violation("a full disk stops the end of \(key)") }
        }
        try course.carryOut([.read, .settle])
        guard course.answered(1) else { throw course.violation("a full disk stops a read") }
        try stop(full: course)
        // The first one that is refused now finds out that there is room.
        course.disk.capacity = nil
        try course.carryOut([.insert(["y"]), .settle, .insert(["z"]), .settle])
        guard course.answered(1), course.hasRoomAgain, !course.events.tellFailure else {
            throw course.violation("the store does not go on when there is room")
        }
        try course.stop()
        try endEveryWay(course)
    }

    /// Ends the full store as it is, by another course of the same story.
    private mutating func stop(full: StoreSimulation) throws(Violation) {
        var course = full
        // The store that is open belongs to the other course: what it has done so far is on a copy of the disk.
        course.forgetStore()
        try endEveryWay(course)
    }

    private mutating func endEveryWay(_ stopped: StoreSimulation) throws(Violation) {
        for end in StoreEnumeration.End.all(of: stopped.disk, limit: outcomes) {
            counts.crashes += 1
            counts.openings += 1
            var course = stopped
            try end.end(&course)
            try course.open()
            try course.kill()
        }
    }
}

extension StoreSimulation {
    fileprivate var isFull: Bool {
        events.all.contains { event in
            if case .full = event { true } else { false }
        }
    }

    fileprivate var hasRoomAgain: Bool { events.all.contains(.roomAgain) }

    /// Whether the last so many calls succeeded.
    fileprivate func answered(_ count: Int) -> Bool { calls.isEmpty && lastAnswers.suffix(count).allSatisfy(\.self) }

    /// Leaves the open store to another course.
    fileprivate mutating func forgetStore() {
        store = nil
        disk = disk.killed()
        disk.capacity = nil
    }
}
