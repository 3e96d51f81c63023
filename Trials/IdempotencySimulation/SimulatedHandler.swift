// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore

/// What a handler does, for a request or a message: a call of the provider, or two with a checkpoint in between.
struct SimulatedHandler: Sendable {
    let process: SimulatedProcess
    let call: Judge.Call
    let context: IdempotencyContext

    private var world: World { process.world }
    private var life: Liveness { process.life }
    private var judge: Judge { world.judge }

    func run() async throws -> Charge {
        guard life.isAlive else { throw ProcessGone() }
        let run = judge.began(call.number, context)
        do {
            let charge = try await carryOut(run)
            if life.isAlive { judge.ended(run: run, .success(charge)) }
            return charge
        } catch {
            if life.isAlive { judge.ended(run: run, .failure(error)) }
            throw error
        }
    }

    /// How a handler takes it that it is cancelled.
    private enum Ear: CaseIterable {
        case obeys
        case ignores
        /// Goes on for a while, and longer than its lease if that is not renewed.
        case outstays
    }

    private func carryOut(_ run: Int) async throws -> Charge {
        let ear = Ear.allCases[Int(world.draw(world.settings.outstays ? 3 : 2))]
        await world.gates.pass(life, chance: 20)
        var hasEffect = context.checkpoint != nil
        var charge = Charge(key: call.key, request: call.request, run: run, receipt: -1, source: .handler)
        let isMessage = world.mailbox.keys.contains(call.key)
        if !hasEffect, !isMessage, world.draw(25) == 0 {
            charge.form = .nothing
            return charge
        }
        if world.settings.hasTwoSteps, !hasEffect {
            let receipt = try await send(.reserve, run, mayRefuse: true, ear)
            hasEffect = true
            try await keep("reserved", receipt, run)
        }
        if context.isProtected, world.draw(3) == 0 { try order(run) }
        charge.receipt = try await send(.charge, run, mayRefuse: !hasEffect, ear)
        await world.gates.pass(life, chance: 10)
        if await outstays(run, ear), world.draw(2) == 0 {
            // Whether or not that is kept: what there is to tell, it tells.
            try? await keep("charged", charge.receipt, run)
        }
        switch world.draw(30) {
        case 0: throw TimedOut(run: run)
        case 1 where !isMessage: charge.form = .unencodable
        case 2 where !isMessage, 3 where !isMessage: charge.form = .long
        default: break
        }
        return charge
    }

    /// Goes on for a while if that is how it takes a cancellation; says whether it did.
    private func outstays(_ run: Int, _ ear: Ear) async -> Bool {
        guard ear == .outstays, Task.isCancelled, life.isAlive else { return false }
        judge.outstays(run)
        for _ in 0...world.draw(3) { await world.gates.pass(life, chance: 100) }
        return life.isAlive
    }

    private func keep(_ name: String, _ receipt: Int, _ run: Int) async throws {
        guard context.isProtected else { return }
        let bytes = Array("\(run):\(receipt)".utf8)
        do {
            try await context.checkpoint(name, bytes)
            if life.isAlive { judge.kept(run, try IdempotencyCheckpoint(name, bytes)) }
        } catch let error as IdempotencyHoldLost {
            if life.isAlive { judge.lostHold(call.number) }
            throw error
        } catch {
            // Some handlers go on without their checkpoint.
            if world.draw(2) == 0 { throw error }
        }
    }

    /// A record of the service's own that is to be there if and only if the value is kept.
    private func order(_ run: Int) throws {
        var changes = [Change.insert(RecordID("orders", "\(run)"), RecordContent(state: "new"), lease: nil)]
        let isConflict = world.draw(8) == 0
        if isConflict { changes.append(.delete(RecordID("orders", "none"), expecting: Fence(rawValue: 1))) }
        try context.alsoCommit(changes)
        judge.ordered(run)
    }

    private func send(_ step: Provider.Step, _ run: Int, mayRefuse: Bool, _ ear: Ear) async throws -> Int {
        await world.gates.pass(life, chance: 30)
        _ = await outstays(run, ear)
        guard life.isAlive else { throw ProcessGone() }
        if ear == .obeys { try Task.checkCancellation() }
        let request = Provider.Request(
            key: call.key, step: step, request: call.request, run: run,
            fence: context.isProtected ? context.fence : nil, downstreamKey: context.downstreamKey("\(step)"))
        let luck = world.draw(16)
        switch luck {
        case 0: throw TimedOut(run: run)
        case 1:
            world.provider.delay(request)
            throw TimedOut(run: run)
        case 2 where mayRefuse: throw Refused(run: run)
        case 3 where mayRefuse: throw Declined(key: call.key, request: call.request, run: run)
        default: break
        }
        switch world.provider.apply(request) {
        case .receipt(let id):
            judge.note("run \(run) takes effect: \(step) \(id)")
            await world.gates.pass(life, chance: 20)
            if luck == 4 { throw TimedOut(run: run) }
            return id
        case .voided:
            judge.note("run \(run) comes too late")
            if mayRefuse { throw Refused(run: run) }
        case .otherRequest:
            if mayRefuse { throw Declined(key: call.key, request: call.request, run: run) }
        }
        throw TimedOut(run: run)
    }
}
