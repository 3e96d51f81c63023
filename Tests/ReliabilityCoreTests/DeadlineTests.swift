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

    @Test func `a deadline is bound without a run, for what only asks`() async {
        let deadline = Deadline.after(.seconds(1), name: "a", clock: clock)
        #expect(await deadline.bind { Deadline.current?.name } == "a")
        let earlier = Deadline.after(.milliseconds(1), name: "b", clock: clock)
        #expect(await earlier.bind { await deadline.bind { Deadline.current?.name } } == "b")
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
