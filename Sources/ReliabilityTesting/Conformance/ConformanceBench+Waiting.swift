// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

extension ConformanceBench {
    typealias Step = () async throws -> Void
    typealias Waiter = @Sendable () async -> Result<ClaimAnswer, StoreError>

    private enum Event: Sendable {
        case asleep
        case answered(Result<ClaimAnswer, StoreError>)
        case impatient
        case over
    }

    /// A claim that waits up to an hour for one due record.
    func waiter(in collection: String = collection, upTo wait: Duration = .seconds(3_600)) -> Waiter {
        let request = ClaimRequest(
            .due(collection: collection, limit: 1), lease: Lease(.seconds(60)), waitUpTo: wait)
        let store = store
        return {
            do throws(StoreError) {
                return .success(try await store.claim(request))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Starts the waiters and takes each step as soon as all that still wait sleep on the clock; `then` is one more step
    /// after the first answer.
    ///
    /// Returns the answers in the order in which they came. A waiter that does not sleep, or that is not woken in the
    /// suite's patience of real time, is a violation.
    func answers(
        of waiters: [Waiter], once steps: [Step], then: Step? = nil
    ) async throws -> [Result<ClaimAnswer, StoreError>] {
        try await withThrowingTaskGroup(of: Event.self) { group in
            for waiter in waiters { group.addTask { .answered(await waiter()) } }
            watch(&group, for: waiters.count)
            let patience = suite.patience
            group.addTask {
                do { try await patience.runOut() } catch { return .over }
                return .impatient
            }
            var steps = steps[...]
            var taken = 0
            var answers: [Result<ClaimAnswer, StoreError>] = []
            do {
                while answers.count < waiters.count, let event = try await group.next() {
                    switch event {
                    case .asleep:
                        taken += 1
                        try await steps.removeFirst()()
                        if !steps.isEmpty { watch(&group, for: waiters.count - answers.count) }
                    case .answered(let answer):
                        try require(taken > 0, "a claim that should wait came back with \(answer)")
                        answers.append(answer)
                        if answers.count == 1, let then {
                            if steps.isEmpty { watch(&group, for: waiters.count - answers.count) }
                            steps.append(then)
                        }
                    case .impatient:
                        throw Violation("\(waiters.count - answers.count) waiting claims were not woken")
                    case .over:
                        break
                    }
                }
            } catch {
                group.cancelAll()
                // For a claim that does not heed that.
                clock.advance(by: .seconds(7_200))
                throw error
            }
            // Who waits for sleepers that will not come, and the patience.
            group.cancelAll()
            return answers
        }
    }

    private func watch(_ group: inout ThrowingTaskGroup<Event, any Error>, for sleepers: Int) {
        let clock = clock
        group.addTask {
            await clock.waitForSleepers(sleepers)
            return .asleep
        }
    }

    /// The one record that a waiting claim brought, which has to be that.
    func requireWoken(
        with key: String, in collection: String = collection, at time: Timestamp? = nil, _ when: String,
        once step: @escaping Step
    ) async throws {
        try await requireWoken(with: key, in: collection, at: time, when, after: [step])
    }

    /// The one record that a waiting claim brought after those steps, which has to be that.
    func requireWoken(
        with key: String, in collection: String = collection, at time: Timestamp? = nil, _ when: String,
        after steps: [Step]
    ) async throws {
        let answer = try await answers(of: [waiter(in: collection)], once: steps)[0].get()
        try require(answer.claimed.map(\.id.key), is: [key], "what a waiting claim gets \(when)")
        if let time { try require(answer.now, is: time, "when a waiting claim wakes \(when)") }
    }
}

extension Duration {
    /// Suspends for that long of real time, in a hundred parts: where other tasks have all threads for a while, that is
    /// one part of it, and not all of it at once.
    func runOut() async throws { for _ in 0..<100 { try await Task.sleep(for: self / 100) } }
}
