// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore

/// A short life of a store, of which every crash and every failure is tried.
package struct StoreScript: Sendable {
    enum Step: Sendable {
        /// Opens the store.
        case open
        case insert([String], Size = .small, lease: Duration? = nil, expires: Duration? = nil)
        case replace([String], Size = .small)
        case delete([String])
        case move(String, to: String)
        /// A batch of which the last change does not fit what stands.
        case conflict([String])
        case claim(String, Duration)
        case claimDue
        case extend(String)
        case read
        case purge
        case compact
        case pass(Duration)
        /// Lets the next call come just before the next operation of the disk of that kind.
        case meanwhile(DiskOperation.Kind = .write)
        /// Lets the store do one thing.
        case step
        /// Lets the store do all there is to do.
        case settle
        /// Closes the store; if that is to come meanwhile, while a random call is under way.
        case close
        case kill
        case cutPower(PowerCut)
        case fault(DiskFault)
        case removeDirectory
        /// Sets the wall clock for the next opening.
        case wallClock(Duration)
        /// Which process opens the store next.
        case process(UInt64)
    }

    /// How large a record's body is.
    enum Size: Int, Sendable {
        case small = 40
        case medium = 300
        case large = 1_500
    }

    package let name: String
    /// What comes before, on a disk without faults.
    let setUp: [Step]
    let steps: [Step]

    init(_ name: String, after setUp: [Step] = [], _ steps: [Step]) {
        self.name = name
        self.setUp = setUp
        self.steps = steps
    }
}

extension StoreSimulation {
    /// Carries out the steps, as far as the disk lets the store live.
    mutating func carryOut(_ steps: [StoreScript.Step]) throws(Violation) {
        for step in steps { try carryOut(step) }
    }

    private mutating func carryOut(_ step: StoreScript.Step) throws(Violation) {
        switch step {
        case .open: if store == nil { try open() }
        case .meanwhile(let kind): comesMeanwhile = kind
        case .step: try self.step()
        case .settle: try stepUntilIdle()
        case .close: if let kind = comesMeanwhile { try close(before: kind) } else { try close() }
        case .kill: try kill()
        case .cutPower(let cut): try cutPower(cut)
        case .fault(let fault): disk.inject(fault)
        case .removeDirectory: try removeDirectory()
        case .pass(let duration): clock.advance(by: duration)
        case .wallClock(let duration): wallTime = wallTime.advanced(by: duration)
        case .process(let number): process = ProcessIdentity(host: "simulated", pid: 3, instance: number)
        case .read: try read(standing.map(\.id))
        case .purge: try purge()
        case .compact: try compact()
        case .claim(let key, let duration): try claim(.ids([Self.id(key)]), for: duration)
        case .claimDue: try claim(.due(collection: "x", limit: 2), for: .seconds(5))
        case .extend(let key): if let record = record(key), record.holder != nil { try extend(record) }
        case .insert, .replace, .delete, .move, .conflict: try commit(changes(of: step))
        }
    }

    static func id(_ key: String) -> RecordID { RecordID("x", key) }

    private var standing: [Record] { store?.tableInMemory.allRecords ?? [] }

    private func record(_ key: String) -> Record? { standing.first { $0.id == Self.id(key) } }

    /// The fence that stands, or one that nothing has.
    private func fence(_ key: String) -> Fence { record(key)?.fence ?? Fence(rawValue: 1) }

    private mutating func changes(of step: StoreScript.Step) -> [Change] {
        switch step {
        case .insert(let keys, let size, let duration, let expires):
            var hold: Lease?
            if let duration { hold = lease(duration) }
            let end: RecordContent.When = expires.map { .after($0) } ?? .never
            return keys.map { key in .insert(Self.id(key), content(key, size, expires: end), lease: hold) }
        case .replace(let keys, let size):
            return keys.map { .replace(Self.id($0), expecting: fence($0), with: content($0, size), lease: .keep) }
        case .delete(let keys):
            return keys.map { .delete(Self.id($0), expecting: fence($0)) }
        case .move(let key, let other):
            return [
                .move(
                    Self.id(key), to: Self.id(other), expecting: fence(key), with: content(other, .small), lease: .end)
            ]
        case .conflict(let keys):
            let never = Fence(rawValue: .max >> 2)
            return keys.map { key in .delete(Self.id(key), expecting: key == keys.last ? never : fence(key)) }
        default:
            return []
        }
    }

    private func content(
        _ key: String, _ size: StoreScript.Size, expires: RecordContent.When = .unchanged
    ) -> RecordContent {
        let byte = key.utf8.first ?? 0
        return RecordContent(
            state: "s", body: [UInt8](repeating: byte, count: size.rawValue), due: .after(.zero), expires: expires)
    }
}
