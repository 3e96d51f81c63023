// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores
internal import ReliabilityCore
internal import ReliabilityTesting
internal import WorkQueues

/// Many items of few keys, and consumers that die in the midst of them.
extension QueueStory {
    /// Has two consumers do so many items, and die now and then; others take their places.
    ///
    /// - Returns: How it went; every item has been done, and none before an earlier one of its key.
    /// - Throws: ``Violation``
    package static func consume(
        items: Int, keys: Int, parks: Bool = false, inFiles: Bool = false, seed: UInt64
    ) throws(Violation) -> Summary {
        let settings = QueueStorySettings(
            parks: parks, maximumFailures: 1_000, maximumCrashes: 1_000, processes: 2, inFiles: inFiles)
        var story = QueueStory(settings, seed: seed)
        story.world.tell { $0.notes = nil }
        story.consume(items: items, keys: keys)
        if let violation = story.violation { throw Violation(description: "seed \(seed): \(violation)") }
        var summary = story.world.tell { $0.summary }
        summary.deaths = story.deaths
        return summary
    }

    private mutating func consume(items: Int, keys: Int) {
        startProcess()
        for start in stride(from: 0, to: items, by: 100) {
            let batch = (start..<min(items, start + 100)).map { number in
                NewWorkItem(
                    id: "\(number)", payload: [UInt8(number % 251)], orderKey: "k\(draw(keys))")
            }
            quietly { process in await process.put(batch) }
        }
        processes = []
        // As long as there is something to do, someone moves the clock.
        for _ in 0..<200_000 {
            replaceTheDead()
            for process in processes where !consumers.contains(where: { $0.process == process.link.number }) {
                startConsumer(process)
            }
            executor.runUntilIdle()
            if violation != nil || world.tell({ $0.queue.isEmpty }) { break }
            world.clock.advance(by: max(.milliseconds(100), world.clock.nextWake ?? .zero))
        }
        comeToRest()
        quietly { process in await process.look() }
        world.tell { model in
            let left = model.items.count { $0.place != .done }
            model.expect(left == 0, "\(left) items are not done")
        }
    }

    private mutating func startConsumer(_ process: QueueProcess) {
        let consumer = Consumer(
            process.queue, decode: { $0 }, concurrency: 16, prefetch: 4, lease: settings.lease,
            deciding: { item, context in try await process.consumeQuickly(item, context) })
        process.link.die(afterCommits: 300 + draw(2_000), applies: draw(2) == 0)
        let pending = start(process) {
            do { try await consumer.run() } catch {
                process.tell { $0.failed(Act.number, "consuming", error) }
            }
        }
        consumers.append((process.link.number, consumer, pending))
    }
}

extension QueueProcess {
    fileprivate func consumeQuickly(_ item: WorkItem, _ context: ConsumerContext) async throws -> ConsumerVerdict {
        tell { $0.delivered(item, context.fence, to: link.number) }
        if world.draw(4) == 0 {
            do { try await world.clock.sleep(for: .milliseconds(50 * world.draw(40))) } catch {
                world.tell { $0.intends(.release(delay: .zero), with: context.fence) }
                throw error
            }
        }
        switch world.draw(20) {
        case 0:
            world.tell { $0.intends(.retry(delay: .zero, isPermanent: false), with: context.fence, mayGoBack: true) }
            throw SimulatedFailure()
        case 1:
            world.tell { $0.intends(.release(delay: .zero), with: context.fence) }
            return .release()
        default:
            world.tell { $0.intends(.complete(effect: false), with: context.fence) }
            return .complete
        }
    }
}
