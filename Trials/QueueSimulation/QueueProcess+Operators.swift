// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import DeadLetters
internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import WorkQueues

extension QueueProcess {
    private func redrive(toHandler: Bool) -> Redrive {
        let destination =
            toHandler
            ? RedriveDestination.handler(queue.name) { letter in try await self.handle(letter) } : .queue(queue)
        return Redrive(queue.deadLetters, to: destination, lease: world.settings.lease, clock: world.clock)
    }

    /// What an operator does with redrives, as long as nobody else is in the way.
    private func operate(_ what: String, _ body: () async throws -> Void) async {
        do { try await body() } catch {
            guard !(error is RedriveActive), !(error is RedriveHeld), !(error is CancellationError) else { return }
            tell { $0.failed(Act.number, what, error) }
        }
    }

    func startRedrive() async {
        let pace = world.pick([Pace.perSecond(1_000), .perSecond(10), .init(1, per: .seconds(5))])
        let filter = world.pick([
            DeadLetterFilter.all, .all, DeadLetterFilter(reason: "attemptsExhausted"),
            DeadLetterFilter(source: Names.name),
        ])
        await start(RedrivePlan(filter: filter, rate: pace, limit: world.pick([nil, nil, 1, 2])))
    }

    func startRedrive(all pace: Pace) async { await start(RedrivePlan(rate: pace)) }

    private func start(_ plan: RedrivePlan) async {
        let act = Act.number
        world.tell { $0.starts[act] = plan.rate }
        await operate("starting a redrive") { try await redrive(toHandler: false).start(plan) }
        world.tell { $0.starts[act] = nil }
    }

    func runRedrive(toHandler: Bool) async {
        await operate("running a redrive") { _ = try await redrive(toHandler: toHandler).run() }
    }

    func pauseRedrive() async { await operate("pausing") { try await redrive(toHandler: false).pause() } }
    func resumeRedrive() async { await operate("resuming a redrive") { try await redrive(toHandler: false).resume() } }
    func cancelRedrive() async { await operate("cancelling") { try await redrive(toHandler: false).cancel() } }

    /// What the redrive says of itself is what it has done.
    func checkRedrive(isCertain: Bool) async {
        await operate("looking at a redrive") {
            let progress = try await redrive(toHandler: false).progress()
            tell { model in
                guard isCertain, let progress, let task = model.task else { return }
                // Behind a handler, what was taken and not counted was taken by a process that died.
                let isRight =
                    task.taken == 0
                    ? progress.redriven == task.moved
                    : (task.moved...task.moved + task.taken).contains(progress.redriven)
                model.expect(
                    isRight, "the redrive counts \(progress.redriven) letters, and \(task.moved) have come back")
            }
        }
    }

    // MARK: Consumers

    func makeConsumer() -> Consumer<WorkItem> {
        Consumer(
            queue, decode: { $0 }, concurrency: 1 + world.draw(3), prefetch: world.draw(3), lease: world.settings.lease,
            deciding: { item, context in try await self.consume(item, context) })
    }

    private func consume(_ item: WorkItem, _ context: ConsumerContext) async throws -> ConsumerVerdict {
        let fence = context.fence
        tell { $0.delivered(item, fence, to: link.number) }
        let intent = drawIntent()
        do {
            for _ in 0..<world.draw(3) {
                try await world.clock.sleep(for: world.pick([.seconds(1), .seconds(12), .seconds(40)]))
            }
            await world.pause()
            try Task.checkCancellation()
        } catch {
            // The consumer was cancelled, or the item is lost; if it is not, it goes back.
            world.tell { $0.intends(.release(delay: .zero), with: fence) }
            throw error
        }
        world.tell { $0.intends(intent, with: fence, mayGoBack: true) }
        switch intent {
        case .complete(let hasEffect):
            if hasEffect { context.alsoCommit([effect(of: item)]) }
            return .complete
        case .retry(let delay, false) where delay > .zero: return .retry(after: SimulatedFailure(), delay: delay)
        case .retry(_, true): throw SimulatedPermanentFailure()
        case .retry: throw SimulatedFailure()
        case .release(let delay) where world.draw(2) == 0: throw SimulatedRejection(retryAfter: delay)
        case .release(let delay): return .release(after: delay)
        case .deadLetter(let reason, let hasError):
            return .deadLetter(DeadLetterReason(code: reason), after: hasError ? SimulatedFailure() : nil)
        }
    }
}
