// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore

/// What a handler does: a call of the provider, or two with a checkpoint in between.
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

    private func carryOut(_ run: Int) async throws -> Charge {
        let obeys = world.draw(2) == 0
        await world.gates.pass(life, chance: 20)
        var hasEffect = context.checkpoint != nil
        var charge = Charge(key: call.key, request: call.request, run: run, receipt: -1, source: .handler)
        if !hasEffect, world.draw(25) == 0 {
            charge.form = .nothing
            return charge
        }
        if world.settings.hasTwoSteps, !hasEffect {
            let receipt = try await send(.reserve, run, mayRefuse: true, obeys)
            hasEffect = true
            try await keep("reserved", receipt, run)
        }
        if context.isProtected, world.draw(3) == 0 { try order(run) }
        charge.receipt = try await send(.charge, run, mayRefuse: !hasEffect, obeys)
        await world.gates.pass(life, chance: 10)
        switch world.draw(30) {
        case 0: throw TimedOut(run: run)
        case 1: charge.form = .unencodable
        case 2, 3: charge.form = .long
        default: break
        }
        return charge
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

    private func send(_ step: Provider.Step, _ run: Int, mayRefuse: Bool, _ obeys: Bool) async throws -> Int {
        await world.gates.pass(life, chance: 30)
        guard life.isAlive else { throw ProcessGone() }
        if obeys { try Task.checkCancellation() }
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
