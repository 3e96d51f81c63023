// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// A random sequence of all operations, carried out by a store and by a ``RecordModel``, with every answer compared.
struct RandomHistory {
    static let collections = ["x", "y"]
    private static let marker = RecordID("marker", "m")

    let ids: [RecordID]
    /// How many changes a batch has at most.
    let longestBatch: Int
    /// Whether most records stand in one line and soon expire, so that many do at one time.
    private let isCrowded: Bool
    private(set) var random: RandomSource
    var bench: ConformanceBench
    var model: RecordModel
    /// The store's time is this much later than its clock's, except where the clock has gone back.
    private var offset: Duration
    private var fences: Set<Fence> = []
    private var lastFences: [RecordID: Fence] = [:]
    private var lastPosition: UInt64?
    private var log: [String] = []

    init(_ bench: ConformanceBench, seed: UInt64, isCrowded: Bool = false) async throws {
        self.bench = bench
        self.isCrowded = isCrowded
        longestBatch = isCrowded ? 16 : 4
        ids = Self.collections.flatMap { name in (0..<(isCrowded ? 20 : 6)).map { RecordID(name, "\($0)") } }
        random = .seeded(seed)
        let now = try await bench.now()
        model = RecordModel(now: now)
        offset = Self.epoch.duration(to: now) - bench.clock.now.offset
    }

    private static let epoch = Timestamp(nanosecondsSince1970: 0)

    /// Takes that many steps; a violation tells what came before it.
    mutating func run(steps: Int) async throws {
        for step in 0..<steps {
            do {
                try await self.step()
            } catch {
                throw Violation("\(error), in step \(step), after: \(log.suffix(12).joined(separator: "; "))")
            }
        }
    }

    mutating func note(_ text: String) { log.append(text) }

    private mutating func step() async throws {
        begin()
        switch random.draw(upTo: 99) {
        case 0..<45: try await commit()
        case 45..<58: try await claimDue()
        case 58..<68: try await claimByName()
        case 68..<76: try await extend()
        case 76..<80: try await read(ids.shuffled(using: &random))
        case 80..<85: try await scan()
        case 85..<90: try await statistics()
        case 90: try await purge()
        case 91: try await reopen(chance(50) ? .closed : .crashed)
        case 92: try await turnBack()
        default: advance()
        }
    }

    // MARK: Time

    /// Brings the model to the time that the store has to have by now.
    private mutating func begin() { model.begin(at: Self.epoch.advanced(by: bench.clock.now.offset + offset)) }

    mutating func check(_ now: Timestamp) throws {
        try require(now, is: model.now, "the time of the answer")
    }

    private mutating func advance() {
        let step = pick([Duration.zero, .nanoseconds(1), .nanoseconds(999_999_999), .seconds(1), .seconds(2)])
        note("advance by \(step)")
        bench.advance(by: step)
    }

    private mutating func turnBack() async throws {
        guard !bench.suite.leeway.contains(.timeGoesBack) else { return }
        // A store cannot keep to a time that it was never asked at.
        try await read(ids)
        let step = pick([Duration.nanoseconds(1), .seconds(1), .seconds(3)])
        note("turn the clock back by \(step)")
        bench.clock.set(to: .init(offset: bench.clock.now.offset - step))
    }

    /// How a life of the store ends.
    private enum End {
        case closed
        case crashed
    }

    /// Opens the store again. A store may start again from the wall clock as long as its time does not go back behind
    /// what it last stored, so a change is committed just before.
    private mutating func reopen(_ end: End) async throws {
        guard end == .closed ? bench.suite.reopen != nil : bench.canCrash else { return }
        note(end == .closed ? "reopen" : "crash")
        // A clock that was set back catches up first: whether a store waits for it may change with the opening.
        bench.clock.set(to: .init(offset: max(bench.clock.now.offset, Self.epoch.duration(to: model.now) - offset)))
        let standing = try await bench.find(Self.marker)
        if let standing { try await bench.delete(Self.marker, standing.fence) }
        let fence = try await bench.insert(Self.marker)
        try take(fence, of: Self.marker)
        lastPosition = try await bench.record(Self.marker).position
        guard let bench = try await end == .closed ? bench.reopened() : bench.crashed() else { return }
        self.bench = bench
        let now = try await bench.now()
        try require(now >= model.now, "opened again, the store's time went from \(model.now) to \(now)")
        offset = Self.epoch.duration(to: now) - bench.clock.now.offset
        begin()
        if end == .crashed, !bench.suite.leeway.contains(.sharedByProcesses) { try await takeEndsOfLeases(at: now) }
        try await read(ids)
    }

    /// Nobody holds anything in a store that another process has opened.
    private mutating func takeEndsOfLeases(at now: Timestamp) async throws {
        let held = Set(model.records.filter { $0.holder != nil }.map(\.id))
        let found = try await bench.store.read(ids).records.compactMap(\.self).filter { held.contains($0.id) }
        if let record = found.first(where: { $0.isHeld(at: now) }) {
            throw Violation("\(record.id) is held after a crash by a process that is gone")
        }
        model.endLeases(of: held, as: found)
        begin()
    }

    // MARK: Numbers that the store chooses

    mutating func take(_ fence: Fence, of id: RecordID) throws {
        try require(fences.insert(fence).inserted, "the fence \(fence) of \(id) was given out before")
        if let last = lastFences[id] { try require(fence > last, "\(id) got the fence \(fence) after \(last)") }
        lastFences[id] = fence
    }

    mutating func take(position: UInt64, of id: RecordID) throws {
        if let last = lastPosition {
            try require(position > last, "\(id) was inserted at position \(position) after \(last)")
        }
        lastPosition = position
    }

    // MARK: Random input

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int(random.draw(upTo: Int64(values.count - 1)))]
    }

    /// Whether something happens that does so in that many of a hundred cases.
    mutating func chance(_ percent: Int64) -> Bool { random.draw(upTo: 99) < percent }

    mutating func duration() -> Duration {
        pick([.zero, .nanoseconds(1), .seconds(1), .seconds(2), .seconds(3), .seconds(5), .seconds(-1)])
    }

    mutating func someIDs(_ count: Int) -> [RecordID] {
        Array(ids.shuffled(using: &random).prefix(Int(random.draw(upTo: Int64(count - 1))) + 1))
    }

    mutating func lease() -> Lease { Lease(duration()) }

    /// A fence that was given out to some record, or to none.
    mutating func someFence() -> Fence {
        let fences = lastFences.values.sorted()
        return fences.isEmpty || chance(10) ? Fence(rawValue: 3) : pick(fences)
    }

    mutating func content() -> RecordContent {
        if isCrowded, chance(80) {
            return RecordContent(
                state: "a", body: [UInt8(random.draw(upTo: 255))], orderKey: "k", due: .after(.zero),
                expires: chance(20) ? .never : .after(pick([.seconds(1), .seconds(2)])))
        }
        return RecordContent(
            state: pick(["a", "b", "c"]), body: [UInt8(random.draw(upTo: 255))],
            headers: chance(20) ? ["h": "\(random.draw(upTo: 9))"] : [:], orderKey: pick([nil, nil, "k", "k", "l"]),
            due: chance(20) ? .never : chance(20) ? .unchanged : .after(duration()),
            expires: chance(65) ? .never : chance(30) ? .unchanged : .after(duration()))
    }
}
