// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency
internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Synchronization

/// A process of a story: its tasks run, stop and end apart from those of every other one, and by its own clock.
final class SimulatedProcess: Sendable {
    let life: Liveness
    let executor: ManualExecutor
    let clock = ManualClock()
    let operation: IdempotentOperation<Charge>
    let inbox: Inbox
    let world: World

    init(_ number: Int, _ world: World) {
        let life = Liveness(number)
        self.life = life
        self.world = world
        executor = ManualExecutor(random: world.random)
        let judge = world.judge
        let settings = world.settings
        let records = RecordIdempotencyStore(LinkedRecords(link: world.link, process: life))
        let probe: @Sendable (UnknownExecution) async throws -> ProbeResult<Charge> = { unknown in
            try await world.probe(unknown, life)
        }
        let ifUnknown: UnknownPolicy<Charge> =
            switch settings.policy {
            case .reexecute: .reexecute
            case .park: .park
            case .probe: .probe(probe)
            }
        let store = WitnessedStore(base: world.bug?.wrap(records) ?? records, judge: judge, process: life)
        let onEvent: @Sendable (IdempotencyEvent) -> Void = { event in if life.isAlive { judge.count(event) } }
        inbox = Inbox(
            Mailbox.source, store: store, retention: settings.retention, lease: settings.lease,
            longestHold: settings.longestHold, clock: clock, onEvent: onEvent)
        operation = IdempotentOperation(
            "charge", store: store,
            codec: Charge.codec, errors: Declined.codec, lease: settings.lease, longestHold: settings.longestHold,
            retention: settings.retention, maximumOutputSize: Charge.longest, ifUnknown: ifUnknown,
            ifInFlight: settings.waits ? .wait(upTo: settings.lease * 2) : .refuse,
            ifStoreFails: settings.failsOpen ? .runUnprotected : .refuse, classify: Charge.verdict, clock: clock,
            onEvent: onEvent)
    }

    /// Starts a request.
    func ask(_ call: Judge.Call) -> ManualExecutor.Pending<Void> {
        world.judge.started(call)
        let key = IdempotencyKey(number: call.key, world.mailbox)
        return executor.start { [self] in
            await CurrentCall.$number.withValue(call.number) {
                let result: Result<IdempotentResult<Charge>, any Error>
                do {
                    let fingerprint = Fingerprint { $0.field("request", call.request) }
                    result = .success(
                        try await operation.run(key, fingerprint: fingerprint) { context in
                            try await SimulatedHandler(process: self, call: call, context: context).run()
                        })
                } catch {
                    result = .failure(error)
                }
                if life.isAlive { world.judge.ended(call.number, result) }
            }
        }
    }

    /// Delivers a message, and acknowledges it when it has been handled.
    func deliver(_ call: Judge.Call) -> ManualExecutor.Pending<Void> {
        world.judge.started(call)
        let (message, consumer) = world.mailbox.address(of: call.key)
        return executor.start { [self] in
            await CurrentCall.$number.withValue(call.number) {
                let result: Result<InboxOutcome, any Error>
                do {
                    result = .success(
                        try await inbox.handle(messageID: message, consumer: consumer) { context in
                            _ = try await SimulatedHandler(process: self, call: call, context: context).run()
                        })
                } catch {
                    result = .failure(error)
                }
                guard life.isAlive else { return }
                world.judge.ended(call.number, delivery: result)
                if case .success = result { world.mailbox.acknowledge(call.key) }
            }
        }
    }
}

/// What all processes of a story share.
final class World: Sendable {
    let settings: StorySettings
    let random: RandomSource
    let gates: Gates
    let link: StoreLink
    let provider: Provider
    let mailbox: Mailbox
    let judge: Judge
    let bug: PlantedBug?

    init(_ settings: StorySettings, _ random: RandomSource, _ bug: PlantedBug?, notesAreKept: Bool) {
        self.settings = settings
        self.random = random
        self.bug = bug
        gates = Gates(random)
        link = StoreLink(random, gates, process: ProcessIdentity(host: "simulated", pid: 1, instance: 1))
        provider = Provider(honoursKeys: settings.honoursKeys)
        mailbox = Mailbox(messages: settings.messages, after: settings.keys)
        judge = Judge(
            messages: mailbox.keys, policy: settings.policy, lease: settings.lease, retention: settings.retention,
            provider: provider, notesAreKept: notesAreKept)
    }

    func draw(_ count: Int64) -> Int64 { random.draw(upTo: count - 1) }

    /// Asks the provider what came of an execution.
    func probe(_ unknown: UnknownExecution, _ life: Liveness) async throws -> ProbeResult<Charge> {
        let number = CurrentCall.number
        await gates.pass(life, chance: 20)
        guard life.isAlive else { throw ProcessGone() }
        if draw(12) == 0 { throw TimedOut(run: -1) }
        let key = unknown.key.number
        let request = judge.request(of: number)
        let findings = findings(key, of: request, unknown, number, skipsReservation: unknown.checkpoint != nil)
        judge.note("call \(number) probes \(unknown.fence) of key \(key): \(findings)")
        let result: ProbeResult<Charge>
        switch findings {
        case .applied(let effect): result = .applied(Charge(effect, .probe))
        case .unclear: result = .unknown
        case .notApplied:
            judge.cleared(key, .probe, unknown.fence)
            result = .notApplied
        }
        await gates.pass(life, chance: 20)
        return result
    }

    private func findings(
        _ key: Int, of request: Int?, _ unknown: UnknownExecution, _ number: Int, skipsReservation: Bool
    ) -> Provider.Findings {
        guard let settled = judge.settledEffects(of: key, before: unknown.fence) else { return .unclear }
        return provider.inquire(
            key, of: request, upTo: unknown.fence, settled: settled, voids: settings.voids,
            isQuiet: judge.isQuiet(key, but: number), skipsReservation: skipsReservation)
    }

    /// Lets an operator look for unknown outcomes, find out about one of them, and settle it.
    func resolve(_ number: Int, _ operation: IdempotentOperation<Charge>, process: Liveness) async throws {
        let page = try await operation.unresolved(limit: 10)
        guard !page.executions.isEmpty, process.isAlive else { return }
        let unknown = page.executions[Int(draw(Int64(page.executions.count)))]
        let key = unknown.key.number
        judge.started(Judge.Call(number: number, key: key, request: -1, process: process.number))
        defer { if process.isAlive { judge.closed(number) } }
        let request = judge.request(of: key, upTo: unknown.fence)
        // A key that is released begins without a checkpoint.
        let findings = findings(key, of: request, unknown, number, skipsReservation: false)
        judge.note("an operator finds out about \(unknown.fence) of key \(key): \(findings)")
        switch findings {
        case .unclear: return
        case .applied(let effect):
            try await operation.resolve(unknown.key, as: .completed(Charge(effect, .person)), of: unknown.fence)
        case .notApplied:
            judge.cleared(key, .person, unknown.fence)
            try await operation.resolve(unknown.key, as: .released, of: unknown.fence)
        }
        judge.note("an operator has settled key \(key)")
    }
}

extension Charge {
    fileprivate init(_ effect: Provider.Effect, _ source: Source) {
        self.init(key: effect.key, request: effect.request, run: effect.run, receipt: effect.id, source: source)
    }
}

extension Judge {
    /// The request of a call.
    func request(of call: Int) -> Int? { state.withLock { $0.calls[call]?.request } }

    /// The request that an execution is of, if it ran.
    func request(of key: Int, upTo fence: Fence) -> Int? {
        state.withLock { state in
            let runs = state.protectedRuns(of: key).filter { $0.fence.map { $0 <= fence } ?? false }
            return runs.max { ($0.fence?.rawValue ?? 0) < ($1.fence?.rawValue ?? 0) }?.request
        }
    }

    /// An operator's call is over.
    func closed(_ call: Int) { state.withLock { $0.calls[call]?.isOpen = false } }
}
