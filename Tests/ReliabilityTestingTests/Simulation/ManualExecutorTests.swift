// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What happened, in order, and on how many threads.
private final class Trace: Sendable {
    private let state = Locked<(steps: [String], threads: Set<String>)>(([], []))

    var steps: [String] { state.withLock { $0.steps } }
    var threads: Set<String> { state.withLock { $0.threads } }

    func add(_ step: String) {
        let thread = "\(pthread_self())"
        state.withLock {
            $0.steps.append(step)
            $0.threads.insert(thread)
        }
    }
}

/// A door at which tasks wait until the driver opens it.
private final class Door: Sendable {
    private let waiting = Locked<[CheckedContinuation<Void, Never>]>([])

    func pass() async {
        await withCheckedContinuation { continuation in waiting.withLock { $0.append(continuation) } }
    }

    func open() {
        let waiting = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// The kinds of call that a store is reached by.
private protocol Caller: Sendable {
    func call(_ trace: Trace) async
}

private struct PlainCaller: Caller {
    func call(_ trace: Trace) async {
        trace.add("plain")
        await Task.yield()
        trace.add("plain")
    }
}

private struct ConcurrentCaller: Caller {
    @concurrent func call(_ trace: Trace) async {
        trace.add("concurrent")
        await Task.yield()
        trace.add("concurrent")
    }
}

private actor ActorCaller: Caller {
    func call(_ trace: Trace) async {
        trace.add("actor")
        await Task.yield()
        trace.add("actor")
    }
}

private struct GroupCaller: Caller {
    func call(_ trace: Trace) async {
        async let first: Void = trace.add("child")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    await Task.yield()
                    trace.add("child")
                }
            }
        }
        await first
    }
}

@Suite struct ManualExecutorTests {
    @Test func `tasks take turns in the order in which they became ready`() throws {
        let executor = ManualExecutor()
        let trace = Trace()
        let tasks = ["a", "b"].map { name in
            executor.start {
                for turn in 1...3 {
                    trace.add("\(name)\(turn)")
                    await Task.yield()
                }
                return name
            }
        }
        #expect(trace.steps.isEmpty && tasks.allSatisfy { $0.value == nil })
        #expect(executor.step())
        #expect(trace.steps == ["a1"])
        #expect(executor.runUntilIdle() > 0)
        #expect(trace.steps == ["a1", "b1", "a2", "b2", "a3", "b3"])
        #expect(try tasks.map { try $0.value?.get() } == ["a", "b"])
        #expect(!executor.step() && executor.runUntilIdle() == 0)
    }

    @Test func `whatever a task calls runs on the thread that drives`() throws {
        let executor = ManualExecutor()
        let trace = Trace()
        let callers: [any Caller] = [PlainCaller(), ConcurrentCaller(), ActorCaller(), GroupCaller()]
        try executor.run { for caller in callers { await caller.call(trace) } }
        #expect(trace.steps.count == 10)
        #expect(trace.threads.count == 1)
        let here = Trace()
        here.add("here")
        #expect(trace.threads == here.threads)
    }

    @Test func `a task that waits goes on when the driver has resumed it, and not before it is driven`() throws {
        let executor = ManualExecutor()
        let door = Door()
        let clock = ManualClock()
        let trace = Trace()
        let answer = executor.start {
            await door.pass()
            trace.add("passed")
            try await clock.sleep(for: .seconds(1))
            return 42
        }
        executor.runUntilIdle()
        #expect(answer.value == nil)
        door.open()
        #expect(trace.steps.isEmpty)
        executor.runUntilIdle()
        #expect(trace.steps == ["passed"] && answer.value == nil)
        clock.advance(by: .seconds(1))
        #expect(answer.value == nil)
        executor.runUntilIdle()
        #expect(try answer.value?.get() == 42)
    }

    @Test func `what an operation throws is its result, and one that cannot end is told from it`() {
        struct Fault: Error {}
        let executor = ManualExecutor()
        #expect(throws: Fault.self) { try executor.run { throw Fault() } }
        let door = Door()
        #expect(throws: ManualExecutor.Stalled.self) { try executor.run { await door.pass() } }
        door.open()
        executor.runUntilIdle()
        let clock = ManualClock()
        let sleeper = executor.start { try await clock.sleep(for: .seconds(1)) }
        executor.runUntilIdle()
        sleeper.cancel()
        executor.runUntilIdle()
        #expect(throws: CancellationError.self) { try sleeper.value?.get() }
    }

    @Test func `the same seed gives the same order, and other seeds give others`() throws {
        func order(seed: UInt64) -> [String] {
            let executor = ManualExecutor(random: .seeded(seed))
            let trace = Trace()
            for name in ["a", "b", "c", "d"] {
                _ = executor.start {
                    for _ in 0..<4 {
                        trace.add(name)
                        await Task.yield()
                    }
                }
            }
            executor.runUntilIdle()
            return trace.steps
        }
        var orders: Set<[String]> = []
        for seed in 0..<20 as Range<UInt64> {
            let first = order(seed: seed)
            #expect(first == order(seed: seed), "seed \(seed)")
            #expect(first.sorted() == Array("aaaabbbbccccdddd").map(String.init), "seed \(seed)")
            orders.insert(first)
        }
        #expect(orders.count > 15)
    }

    @Test func `a task that another thread resumes waits until it is driven`() async throws {
        let executor = ManualExecutor()
        let door = Door()
        let trace = Trace()
        let answers = (0..<100).map { number in
            executor.start {
                await door.pass()
                trace.add("passed")
                return number
            }
        }
        executor.runUntilIdle()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { door.open() } }
        }
        #expect(trace.steps.isEmpty)
        executor.runUntilIdle()
        #expect(try answers.map { try $0.value?.get() } == Array(0..<100))
    }
}
