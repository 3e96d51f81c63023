// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityCore
import ReliabilityTesting
import Testing

@Suite struct DeadlineTests {
    private let clock = ManualClock()

    @Test func `what remains goes down to zero, and the moment itself is past`() {
        let deadline = Deadline.after(.seconds(2), clock: clock)
        #expect(deadline.remaining == .seconds(2) && !deadline.hasPassed)
        clock.advance(by: .seconds(2) - .nanoseconds(1))
        #expect(deadline.remaining == .nanoseconds(1) && !deadline.hasPassed)
        clock.advance(by: .nanoseconds(1))
        #expect(deadline.remaining == .zero && deadline.hasPassed)
        clock.advance(by: .seconds(9))
        #expect(deadline.remaining == .zero && deadline.hasPassed)
    }

    @Test(arguments: [Duration.zero, .seconds(-1), .seconds(Int64.min)])
    func `a limit that is not longer than zero has passed already`(_ limit: Duration) {
        let deadline = Deadline.after(limit, clock: clock)
        #expect(deadline.hasPassed && deadline.limit == .zero)
    }

    @Test func `a limit is rounded up, and the longest never passes`() {
        #expect(Deadline.after(Duration(attoseconds: 1), clock: clock).remaining == .nanoseconds(1))
        #expect(Deadline.after(.seconds(Int64.max), clock: clock).remaining > .seconds(9_000_000_000))
    }

    @Test func `the earliest of those around is current, and afterwards the one before`() async throws {
        let early = Deadline.after(.seconds(1), name: "early", clock: clock)
        let late = Deadline.after(.seconds(2), name: "late")
        func name() -> String? { Deadline.current?.name }

        #expect(name() == nil)
        // Of another clock, too.
        let names = try await late.run {
            let before = name()
            let within = try await early.run { try await late.run { name() } }
            async let child = name()
            return [before, within, name(), await child]
        }
        #expect(names == ["late", "early", "late", "late"])
        #expect(name() == nil)
    }

    @Test func `of two that have passed the one that did so first is told`() async {
        let (early, late) = (
            Deadline.after(.seconds(1), name: "early", clock: clock),
            Deadline.after(.seconds(2), name: "late", clock: clock)
        )
        clock.advance(by: .seconds(3))
        for (outer, inner) in [(early, late), (late, early)] {
            _ = await outer.bind {
                await #expect(throws: DeadlinePassed(name: "early")) { try await inner.run { Issue.record("It ran") } }
            }
        }
    }

    @Test func `a deadline is bound without a run, for what only asks`() async {
        let deadline = Deadline.after(.seconds(1), name: "a", clock: clock)
        #expect(await deadline.bind { Deadline.current?.name } == "a")
        let earlier = Deadline.after(.milliseconds(1), name: "b", clock: clock)
        #expect(await earlier.bind { await deadline.bind { Deadline.current?.name } } == "b")
    }

    @Test func `an operation can do without the deadline around it, and so can the tasks it starts`() async throws {
        struct Broken: Error {}
        let deadline = Deadline.after(.seconds(1), name: "request", clock: clock)
        let later = Deadline.after(.seconds(9), name: "own", clock: clock)
        try await deadline.run {
            let inTask = await Deadline.withoutCurrent { await Task { Deadline.current?.name }.value }
            #expect(inTask == nil && Deadline.current?.name == "request")
            await #expect(throws: Broken.self) { try await Deadline.withoutCurrent { throw Broken() } }
            // A limit of its own is its only one.
            clock.advance(by: .seconds(2))
            let own = try await Deadline.withoutCurrent { try await later.run { Deadline.current?.name } }
            #expect(own == "own")
        }
    }

    @Test func `an operation runs where its caller does, with and without a deadline`() async throws {
        actor Caller {
            func isIsolated(_ deadline: Deadline) async throws -> [Bool] {
                let isolations = [
                    await Deadline.withoutCurrent(DeadlineTests.isolation),
                    await deadline.bind(DeadlineTests.isolation),
                    try await deadline.run(DeadlineTests.isolation),
                    try await deadline.run {
                        await Task.yield()
                        return await DeadlineTests.isolation()
                    },
                ]
                return isolations.map { $0 === self }
            }
        }
        #expect(try await Caller().isIsolated(.after(.seconds(9))) == [true, true, true, true])
    }

    private static func isolation() async -> (any Actor)? { #isolation }

    @Test func `an operation that does without a deadline is cancelled with its caller all the same`() async {
        let deadline = Deadline.after(.seconds(1), clock: clock)
        async let failure: (any Error)? = {
            do {
                try await deadline.run { try await Deadline.withoutCurrent { try await clock.sleep(for: .seconds(9)) } }
            } catch {
                return error
            }
            return nil
        }()
        await clock.waitForSleepers(2)
        clock.advance(by: .seconds(1))
        #expect(await failure is TimedOut)
    }

    @Test func `a run is cancelled at the deadline, which is not begun anew`() async {
        let deadline = Deadline.after(.seconds(3), name: "request", clock: clock)
        clock.advance(by: .seconds(1))
        async let failure: (any Error)? = {
            do { try await deadline.run { try await clock.sleep(for: .seconds(9)) } } catch { return error }
            return nil
        }()
        await clock.waitForSleepers(2)
        clock.advance(by: .seconds(2))
        #expect((await failure as? TimedOut)?.name == "request")
        await #expect(throws: DeadlinePassed(name: "request")) { try await deadline.run { Issue.record("It ran") } }
    }
}
