// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What a simulated disk consists of: what is on it, what is to go wrong with it, and what was done so far.
struct DiskState: Sendable {
    /// How an operation is carried out that fails.
    private typealias Course = (effect: DiskFault.Effect, code: Int32)

    private struct ArmedFault {
        let fault: DiskFault
        var seen = 0
    }

    /// How many operations are remembered for printing.
    private static let logLength = 1_000

    var volume: SimulatedVolume
    private(set) var operations: [DiskOperation] = []
    private(set) var operationCount = 0
    private(set) var failureCount = 0
    private var faults: [ArmedFault] = []
    private var end: (after: Int, bytes: Int)?
    /// The files that are locked, each by which lock.
    private var locks: [Int: Int] = [:]
    private var lastLock = 0

    init(volume: SimulatedVolume) { self.volume = volume }

    mutating func arm(_ fault: DiskFault) { faults.append(ArmedFault(fault: fault)) }

    mutating func end(after count: Int, writing bytes: Int) { end = (operationCount + count, bytes) }

    /// Counts an operation and carries it out, as far as nothing goes wrong.
    ///
    /// - Parameter body: is told what goes wrong if the operation is not simply refused.
    mutating func perform<Value>(
        _ kind: DiskOperation.Kind, _ path: String, to newPath: String? = nil, offset: Int = 0, count: Int = 0,
        _ body: (inout DiskState, DiskFault.Effect?) throws(SimulatedVolume.Failure) -> Value
    ) throws(StoreFailure) -> Value {
        operationCount += 1
        let course = course(of: kind)
        if operations.count >= 2 * Self.logLength { operations.removeFirst(Self.logLength) }
        operations.append(
            DiskOperation(
                number: operationCount, kind: kind, path: path, newPath: newPath, offset: offset, count: count, code: 0)
        )
        let code: Int32
        do throws(SimulatedVolume.Failure) {
            switch course {
            case nil:
                return try body(&self, nil)
            case (.refusal, let failure)?:
                code = failure
            case (let effect, let failure)?:
                _ = try body(&self, effect)
                code = failure
            }
        } catch {
            code = error.code
        }
        failureCount += 1
        operations[operations.count - 1].code = code
        throw StoreFailure(operation: kind.verb, subject: path, code: code)
    }

    private mutating func course(of kind: DiskOperation.Kind) -> Course? {
        if let end, operationCount > end.after {
            let isUnderWay = kind == .write && operationCount == end.after + 1
            return (isUnderWay ? .shortWrite(end.bytes) : .refusal, SimulatedDisk.powerLost)
        }
        var course: Course?
        for index in faults.indices {
            let fault = faults[index].fault
            guard fault.kind == nil || fault.kind == kind else { continue }
            faults[index].seen += 1
            let seen = faults[index].seen
            guard course == nil, seen == fault.number || (fault.lasts && seen > fault.number) else { continue }
            course = (fault.effect, fault.code)
        }
        return course
    }

    /// Locks a file; `nil` if it is locked.
    mutating func lock(_ inode: Int) -> Int? {
        guard locks[inode] == nil else { return nil }
        lastLock += 1
        locks[inode] = lastLock
        volume.open(inode)
        return lastLock
    }

    mutating func unlock(_ inode: Int, _ lock: Int) {
        guard locks[inode] == lock else { return }
        locks[inode] = nil
        volume.close(inode)
    }
}
