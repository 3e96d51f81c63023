// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Every failure of the disk, one after the other.
extension StoreEnumeration {
    /// Lets every operation of the script fail in every way that it can, and lets what comes of it end in every way.
    package mutating func failEverywhere() throws(Violation) {
        var ordinals: [DiskOperation.Kind: Int] = [:]
        var index = 0
        for operation in operations {
            ordinals[operation.kind, default: 0] += 1
            for fault in Self.faults(of: operation, ordinal: ordinals[operation.kind, default: 1]) {
                index += 1
                guard isTried(index) else { continue }
                counts.faults += 1
                for closes in [true, false] { try fail(with: fault, "\(fault) at \(operation)", closes: closes) }
            }
        }
    }

    private mutating func fail(with fault: DiskFault, _ story: String, closes: Bool) throws(Violation) {
        var course = base.anotherCourse()
        course.disk.inject(fault)
        let story = story + (closes ? ", closed" : "")
        try naming(story) { () throws(Violation) in
            try course.carryOut(script.steps)
            if closes { try course.close() }
            try course.stop()
        }
        beginStory()
        try endEveryWay(course, story, outcomes: min(bounds.outcomes, 24), nests: false)
    }

    /// How an operation can fail, which is the first of all with its number, and of its kind with that ordinal.
    private static func faults(of operation: DiskOperation, ordinal: Int) -> [DiskFault] {
        let number = operation.number
        var faults: [DiskFault] = [
            .error(DiskFault.inputOutput, at: number), .error(DiskFault.inputOutput, at: number, lasts: true),
            .error(DiskFault.noSpace, at: number), .error(DiskFault.noSpace, at: number, lasts: true),
            .error(DiskFault.overQuota, at: number), .error(DiskFault.interrupted, at: number),
        ]
        // Nobody has a lock that he was not given.
        if operation.kind != .lock { faults.append(.lateError(DiskFault.inputOutput, at: number)) }
        switch operation.kind {
        case .write:
            for bytes in lengths(of: operation) where bytes > 0 {
                faults += [
                    .shortWrite(bytes, at: ordinal), .shortWrite(bytes, DiskFault.inputOutput, at: ordinal),
                ]
            }
        case .sync:
            faults += [.nothing, .first(1), .everything].map { .failedSync(at: ordinal, keeping: $0) }
        default:
            break
        }
        return faults
    }
}
