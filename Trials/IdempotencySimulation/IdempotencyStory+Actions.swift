// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting

/// What happens next.
extension IdempotencyStory {
    /// One thing happens, drawn at random.
    mutating func act() {
        if storeFailure.isSet { crashStore(takingProcesses: draw(2) == 0, losingPower: draw(3) != 0) }
        switch draw(226) {
        case 0..<50: runOneJob()
        case 50..<80: stepStore()
        case 80..<100: settle()
        case 100..<122: startCall()
        case 122..<150: openGate()
        case 150..<172: passTime()
        case 172..<178: cancelCall()
        case 178..<182: deliver()
        case 182..<187: startOperator()
        case 187..<189: stopOrGoOn()
        case 189..<192: crash()
        case 192..<195: armDisk()
        case 195..<197: changeLosses()
        case 197..<217: startDelivery()
        case 217..<223: passTimeCalmly()
        default: purge()
        }
        reap()
    }

    // MARK: Tasks

    private mutating func runOneJob() {
        let running = (processes + ghosts).filter { !stopped.contains($0.life.number) }
        guard !running.isEmpty else { return }
        let first = draw(running.count)
        for offset in 0..<running.count where running[(first + offset) % running.count].executor.step() { return }
    }

    /// Lets the store do one thing; `false` if there was nothing to do.
    @discardableResult
    func stepStore() -> Bool {
        let did = file?.step() ?? false
        keeper.runUntilIdle()
        return did
    }

    /// Runs everything that can run without time or a gate.
    @discardableResult
    func settle() -> Bool {
        var count = 0
        while true {
            var did = keeper.runUntilIdle() > 0
            for process in processes + ghosts where !stopped.contains(process.life.number) {
                did = process.executor.runUntilIdle() > 0 || did
            }
            did = stepStore() || did
            if !did { return count > 0 }
            count += 1
            if count > 20_000 {
                judge.accuse("the story does not come to rest")
                return false
            }
        }
    }

    private func openGate() {
        guard world.gates.count > 0 else { return }
        world.gates.open(draw(world.gates.count))
    }

    /// Forgets what has ended.
    private mutating func reap() {
        open.removeAll { $0.pending.value != nil }
        ghosts.removeAll { ghost in !open.contains { $0.process == ghost.life.number } }
    }

    // MARK: Calls

    private mutating func startCall() {
        guard callCount < settings.calls, open.count < settings.clients, !processes.isEmpty else { return }
        let process = pick(processes)
        callCount += 1
        let request = draw(6) == 0 ? 1 : 0
        start(
            Judge.Call(number: callCount, key: draw(settings.keys), request: request, process: process.life.number),
            process)
    }

    mutating func start(_ call: Judge.Call, _ process: SimulatedProcess) {
        open.append((call, process.life.number, process.ask(call)))
    }

    private func cancelCall() {
        guard has(.cancellations), !open.isEmpty else { return }
        let chosen = pick(open)
        judge.cancelled(chosen.call.number)
        chosen.pending.cancel()
    }

    private mutating func startOperator() {
        guard has(.operators), let process = processes.first else { return }
        callCount += 1
        let number = callCount
        let world = world
        let pending = process.executor.start {
            await CurrentCall.$number.withValue(number) {
                do {
                    try await world.resolve(number, process.operation, process: process.life)
                } catch {
                    if process.life.isAlive { world.judge.note("an operator gets \(error)") }
                }
            }
        }
        let call = Judge.Call(number: number, key: 0, request: -1, process: process.life.number)
        open.append((call, process.life.number, pending))
    }

    private func purge() {
        guard let process = processes.first else { return }
        _ = process.executor.start { _ = try? await process.operation.store.purge(limit: 2) }
    }

    private func deliver() {
        guard has(.lateEffects), world.provider.lateCount > 0 else { return }
        deliverOne()
    }

    func deliverOne() {
        let (request, answer) = world.provider.deliver(draw(world.provider.lateCount))
        judge.note("run \(request.run) takes effect late: \(answer)")
    }

    // MARK: Time

    private func passTime() {
        let lease = settings.lease
        let duration = pick([
            .milliseconds(1), .seconds(1), lease / 3, lease / 3, lease / 3, lease, lease * 2, lease * 9,
        ])
        switch draw(6) {
        case 0 where has(.clockSteps): clock.advance(by: duration)
        case 1 where has(.clockSteps):
            // A process's own clock may step, both ways.
            guard !processes.isEmpty else { return }
            let process = pick(processes)
            if draw(3) == 0 {
                let now = process.clock.now.offset
                judge.goesBack(process: process.life.number)
                process.clock.set(to: ManualClock.Instant(offset: max(.zero, now - duration)))
            } else {
                process.clock.advance(by: duration)
            }
        default: passTime(duration)
        }
    }

    func passTime(_ duration: Duration) {
        judge.note("\(duration) pass")
        clock.advance(by: duration)
        for process in processes where !stopped.contains(process.life.number) { process.clock.advance(by: duration) }
        for ghost in ghosts { ghost.clock.advance(by: .seconds(3_600)) }
    }

    /// Lets time pass in such small steps that everything has its turn, and looks at the leases of those who run.
    private func passTimeCalmly() {
        let going = Set(processes.map(\.life.number)).subtracting(stopped)
        let running = judge.running(in: going)
        for _ in 0..<4 {
            passTime(settings.lease / 3)
            settle()
        }
        judge.checkRenewals(of: running)
    }

    private mutating func stopOrGoOn() {
        guard has(.stops), !processes.isEmpty else { return }
        let process = pick(processes)
        if stopped.remove(process.life.number) == nil {
            stopped.insert(process.life.number)
            judge.note("process \(process.life.number) stops")
        } else {
            judge.note("process \(process.life.number) goes on")
        }
    }

    private func changeLosses() {
        guard has(.losses), settings.lossChance > 0 else { return }
        world.link.lossChance = pick([0, settings.lossChance, settings.lossChance * 5])
        judge.disturb()
    }
}
