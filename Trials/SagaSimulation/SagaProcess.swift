// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import Sagas
internal import Synchronization

/// A process of a story: a coordinator on a way to the store of its own, and people who use it.
final class SagaProcess: Sendable {
    let link: ProcessLink
    let world: SagaWorld
    let coordinator: SagaCoordinator
    private let definitions: [SagaDefinition<StoryInput>]
    private let isRunning = Atomic(false)

    /// - Parameter isOld: Whether it knows the first definition alone.
    init(_ number: Int, _ world: SagaWorld, isOld: Bool = false) {
        let link = ProcessLink(number)
        self.link = link
        self.world = world
        let participant = StoryParticipant(world: world, link: link)
        definitions = world.settings.definitions.map { $0.make(participant) }
        let records = WitnessedSagas(world: world, process: link)
        let store = world.bug?.wrap(records) ?? records
        let random = RandomSource.seeded(world.random.next())
        coordinator =
            isOld
            ? SagaCoordinator(
                Names.name, store: store, definitions: definitions[0], lease: SagaStorySettings.lease,
                concurrency: 4, maxCrashes: world.settings.maxCrashes, randomness: random, clock: world.clock)
            : SagaCoordinator(
                Names.name, store: store, definitions: definitions[0], definitions[1],
                lease: SagaStorySettings.lease, concurrency: 4, maxCrashes: world.settings.maxCrashes,
                randomness: random, clock: world.clock)
    }

    /// What is thrown is the store's, ours to stop, or a violation.
    private func perform(_ what: String, _ body: () async throws -> Void) async {
        do { try await body() } catch is StoreError {
        } catch is CancellationError {
        } catch {
            guard link.isAlive else { return }
            world.tell { $0.accuse("\(what) throws \(error)") }
        }
    }

    // MARK: Sagas

    func start(_ sagaID: String, definition: Int, number: Int) async {
        await perform("starting") {
            do {
                let input = StoryInput(number: number)
                try await coordinator.start(definitions[definition], id: sagaID, input: input)
                guard link.isAlive else { return }
                let name = definitions[definition].shape.name
                world.tell { $0.expect($0.sagas[sagaID]?.definition.name == name, "\(sagaID) is not started") }
                world.tell { $0.expect(number == 0, "\(sagaID) is started with another input") }
            } catch is SagaMismatch where number != 0 {
            } catch is SagaDefinitionMismatch {
                let name = definitions[definition].shape.name
                world.tell { $0.expect($0.sagas[sagaID]?.definition.name != name, "\(sagaID) does not match") }
            }
        }
    }

    func recover(limit: Int) async {
        await perform("recovering") { _ = try await coordinator.recover(limit: limit) }
    }

    func run() async {
        let act = Act.number
        guard !isRunning.exchange(true, ordering: .relaxed) else { return }
        defer { isRunning.store(false, ordering: .relaxed) }
        world.tell { _ = $0.runs.insert(act) }
        await perform("running") { try await coordinator.run() }
    }

    // MARK: People

    func send(_ wish: SagaModel.Wish, to sagaID: String) async {
        let act = Act.number
        world.tell { $0.wishes[act] = wish }
        let (reason, coordinator) = ("\(act)", coordinator)
        await perform("\(wish)") {
            do {
                switch wish {
                case .event(let name, let payload):
                    let step = world.tell { $0.sagas[sagaID]?.definition.step(name) }
                    guard let step else { return }
                    try await coordinator.signal(sagaID, step.event, payload)
                case .retry: try await coordinator.retry(sagaID, reason: reason)
                case .skip(let step): try await coordinator.skip(step, of: sagaID, reason: reason)
                case .abort: try await coordinator.abort(sagaID, reason: reason)
                }
                guard link.isAlive else { return }
                world.tell { $0.expect($0.delivered.contains(act), "\(wish) to \(sagaID) is not delivered") }
            } catch is SagaVerbRefused {
                world.tell { $0.wasRefused(wish, sagaID, act) }
            } catch is SagaNotFound {
                world.tell { $0.expect($0.sagas[sagaID] == nil, "\(sagaID) is not found") }
            }
        }
    }

    /// What a look at a saga tells is what was committed.
    func look(at sagaID: String) async {
        await perform("looking") {
            let history = try await coordinator.history(sagaID)
            let status = try await coordinator.status(sagaID)
            let outputs = try await outputs(of: sagaID)
            world.tell { $0.check(sagaID, status, history, outputs) }
        }
    }

    private func outputs(of sagaID: String) async throws -> [String: Int] {
        let saga = world.tell { $0.sagas[sagaID] }
        var outputs: [String: Int] = [:]
        for part in saga?.parts ?? [] where part.step.kind != .timer {
            do {
                outputs[part.step.name] = try await coordinator.saga(sagaID).output(of: part.step.event)
            } catch is SagaOutputMissing {}
        }
        return outputs
    }
}

extension SagaModel {
    fileprivate mutating func wasRefused(_ wish: Wish, _ sagaID: String, _ act: Int) {
        expect(!delivered.contains(act), "\(wish) to \(sagaID) is delivered and refused")
        guard case .event = wish, let state = sagas[sagaID]?.status.state else { return }
        expect(state == .completed || state == .compensated, "\(wish) to \(sagaID) is refused while it is \(state)")
    }

    fileprivate mutating func check(
        _ sagaID: String, _ status: SagaStatus?, _ history: [SagaEntry], _ outputs: [String: Int]
    ) {
        guard let saga = sagas[sagaID] else { return }
        expect(status?.state == saga.status.state, "\(sagaID) is told to be \(status?.state.rawValue ?? "nowhere")")
        let told = history.map { "\($0.kind) \($0.step ?? "") \($0.reason ?? "")" }
        let known = saga.entries.map { "\($0.kind) \($0.step ?? "") \($0.reason ?? "")" }
        expect(told == known, "the history of \(sagaID) is told to be \(told), and is \(known)")
        for part in saga.parts {
            let output = outputs[part.step.name]
            switch (part.end, part.step.kind) {
            case (.succeeded, .event):
                expect(output == part.payloads.first, "\(part.step.name) brought another payload")
            case (.succeeded, _) where part.step.acts:
                expect(output == part.output, "\(part.step.name) gave another output")
            default: break
            }
        }
    }
}
