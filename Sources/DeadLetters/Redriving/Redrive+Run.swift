// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Redrive {
    /// Brings letters back until all are, or the redrive is paused or cancelled.
    ///
    /// Returns at once if there is nothing to do. **Cancelling the task** stops it between two batches; the redrive
    /// stays and goes on when somebody runs it again.
    ///
    /// - Returns: How far the redrive has come; `nil` if there is none.
    /// - Throws: ``RedriveHeld`` if another process runs it, or has taken it over because this one was silent for longer
    ///   than its lease; ``RedriveActive`` if it goes to another destination than this one; `StoreError`, after which it can be run again; ``RedriveUnreadable``; `CancellationError`, or
    ///   what a handler threw when its task was cancelled.
    public func run() async throws -> RedriveProgress? {
        let claim = try await store.claim(ClaimRequest(.ids([taskID]), lease: Lease(lease)))
        guard let task = claim.claimed.first else {
            guard let standing = claim.standing.first else { return nil }
            throw RedriveHeld(queue: letters.name, retryAfter: standing.leaseRemaining(at: claim.now))
        }
        var course = RedriveCourse(fence: task.fence, holder: task.holder, progress: try read(task))
        // Somebody may have wished that a paused one goes on or ends, while it was held: the first step tells.
        if course.progress.state == .paused { course.progress.state = .running }
        guard course.progress.state == .running else {
            try await letGo(course)
            return course.progress
        }
        guard course.progress.destination == destination.name else {
            try await letGo(course)
            throw RedriveActive(queue: letters.name, progress: try read(task))
        }
        do {
            while try await step(&course) {}
        } catch {
            // If even that fails, the lease sees to it.
            try? await letGo(course)
            throw error
        }
        return course.progress
    }

    /// Changes nothing if somebody else has the task by now.
    private func letGo(_ course: RedriveCourse) async throws(StoreError) {
        _ = try await store.extend(taskID, fence: course.fence, lease: .zero)
    }

    /// One batch; `false` once the redrive has ended or stands still.
    private func step(_ course: inout RedriveCourse) async throws -> Bool {
        let answer = try await store.read([wishID])
        let wish = answer.records[0]
        switch wish.flatMap({ Wish(rawValue: $0.state) }) {
        case .pause: return try await end(&course, as: .paused, wish)
        case .cancel: return try await end(&course, as: .cancelled, wish)
        case .run, nil: break
        }
        try Task.checkCancellation()
        var batch = try await gather(for: course.progress)
        if !batch.letters.isEmpty, try await wait(until: course.progress.notBefore, from: answer.now, course) {
            // Much may have happened meanwhile; if it is another wish, the commit says so.
            batch = try await gather(for: course.progress)
        }
        if batch.letters.isEmpty, batch.isLast {
            return try await end(&course, as: .done, skipping: batch.skipped, wish)
        }
        switch destination.form {
        case .changes(let changes): try await move(&batch, &course, wish, changes)
        case .handler(let handler): try await hand(batch, &course, wish, to: handler)
        }
        return true
    }

    /// Sleeps until a time of the store's, and holds the task until a lease after it; `false` if it has come already.
    private func wait(until: Timestamp, from now: Timestamp, _ course: RedriveCourse) async throws -> Bool {
        let pause = now.duration(to: until)
        guard pause > .zero else { return false }
        if pause > lease / 2 { try await hold(course, for: pause + lease) }
        try await time.sleep(for: pause)
        return true
    }

    private func hold(_ course: RedriveCourse, for duration: Duration) async throws {
        guard case .lost = try await store.extend(taskID, fence: course.fence, lease: duration) else { return }
        throw RedriveHeld(queue: letters.name, retryAfter: nil)
    }

    /// How many pages are looked through for a batch: where few letters are meant, most batches have none, and the
    /// redrive goes on from where they end.
    private static var pagesOfBatch: Int { 10 }

    /// The letters that come next.
    private func gather(for progress: RedriveProgress) async throws(StoreError) -> RedriveBatch {
        let left = progress.plan.limit.map { $0 - progress.redriven - progress.failed } ?? .max
        var batch = RedriveBatch(wanted: min(progress.plan.rate.batch, left), cursor: progress.cursor)
        for _ in 0..<Self.pagesOfBatch where batch.isOpen {
            let page = try await store.scan(
                letters.collection, state: nil, after: batch.cursor, limit: 100)
            batch.add(page, progress)
        }
        return batch
    }

    /// Moves letters within the store, in one commit with the progress.
    private func move(
        _ batch: inout RedriveBatch, _ course: inout RedriveCourse, _ wish: Record?,
        _ changes: (RecordDeadLetterQueue, [RedriveDestination.Letter]) async throws(StoreError) ->
            RedriveDestination.Moves
    ) async throws {
        while true {
            let moves = try await changes(letters, batch.letters)
            batch.leaveOut(course.progress.plan) { moves.ofLetters[$0] == nil }
            let changes = moves.ofLetters.compactMap { $0 }
            let answer = try await settle(
                &course, batch, redriven: changes.count, wish, changes + moves.alongside)
            guard let index = answer else {
                for letter in batch.letters { letters.report(letter.letter.id, letter.letter.reason, .redriven) }
                return
            }
            // 0 is the task's own record, and 1 the wish.
            let inTheWay = index - 1 - (wish == nil ? 0 : 1)
            if inTheWay < 0 { return }
            // Somebody has the letter, or something of its name stands where it should go. If what stands alongside has
            // changed, everything is looked at anew.
            batch.leaveOut(course.progress.plan) { $0 == inTheWay }
        }
    }

    /// Hands letters to a handler; their time is taken in the store before it sees the first.
    private func hand(
        _ batch: RedriveBatch, _ course: inout RedriveCourse, _ wish: Record?,
        to handler: @Sendable (DeadLetter) async throws -> Void
    ) async throws {
        let rate = course.progress.plan.rate
        let reserved = course.progress
        let all = rate.time(for: batch.letters.count)
        guard try await replace(&course, reserved, wish, [], waiting: all) == nil else { return }
        var progress = course.progress
        // When the next may go: a handler that takes long is no credit for those after it.
        var next = time.now()
        var failure: (any Error)?
        var isOver = true
        letters: for letter in batch.letters {
            do {
                try Task.checkCancellation()
                try await hold(course, for: lease)
                next = max(next, time.now()).addingSaturating(rate.time(for: 1).nanosecondsRoundedUp)
                switch try await letters.redrive(letter.letter.id, lease: lease, to: handler) {
                case .redriven: progress.redriven += 1
                case .rejected(let rejection) where rejection.retryAfter != nil:
                    // It did not run, and says when it will.
                    let pause = rejection.retryAfter ?? .zero
                    next = max(next, time.now().addingSaturating(pause.nanosecondsRoundedUp))
                    isOver = false
                    break letters
                case .failed, .rejected: progress.failed += 1
                case .notFound, .held, .lost: progress.skipped += 1
                }
                progress.cursor = letter.record.position
            } catch {
                failure = error
                break
            }
        }
        if failure == nil, isOver {
            progress.cursor = batch.cursor
            progress.skipped += batch.skipped
        }
        // What was done is counted, whatever has ended it.
        let rest = Duration.nanoseconds(max(0, next.subtractingSaturating(time.now())))
        _ = try await replace(&course, progress, nil, [], waiting: rest)
        if let failure { throw failure }
    }

    /// Commits moves with the progress that they make; the index of the change in the way, if one is.
    private func settle(
        _ course: inout RedriveCourse, _ batch: RedriveBatch, redriven: Int, _ wish: Record?, _ moves: [Change]
    ) async throws -> Int? {
        var progress = course.progress
        progress.redriven += redriven
        progress.skipped += batch.skipped
        progress.cursor = batch.cursor
        return try await replace(
            &course, progress, wish, moves, waiting: redriven > 0 ? progress.plan.rate.time(for: redriven) : nil)
    }

    private func end(
        _ course: inout RedriveCourse, as state: RedriveProgress.State, skipping skipped: Int = 0, _ wish: Record?
    ) async throws -> Bool {
        var progress = course.progress
        progress.skipped += skipped
        progress.state = state
        // Another wish may have come: then it is looked at first.
        return try await replace(&course, progress, wish, [], lease: .end) != nil
    }

    /// Replaces the task's record under the wish that was read, together with moves; the index of what is in the way.
    ///
    /// - Parameter wait: How long from now the next letters have to wait; `nil` for as long as before.
    private func replace(
        _ course: inout RedriveCourse, _ progress: RedriveProgress, _ wish: Record?, _ moves: [Change],
        waiting wait: Duration? = nil, lease change: LeaseChange? = nil
    ) async throws -> Int? {
        let named = course.fence
        let own = Change.replace(
            taskID, expecting: named, with: content(progress, notBefore: wait.map { .after($0) } ?? .unchanged),
            lease: change ?? .extend(lease))
        let guards = wish.map { [Change.assert(wishID, $0.fence)] } ?? []
        var fence: Fence?
        var progress = progress
        do throws(StoreError) {
            switch try await store.commit([own] + guards + moves) {
            case .committed(let committed):
                fence = committed.fences[0]
                if let wait { progress.notBefore = committed.now.advanced(by: wait) }
            case .conflict(let conflict) where conflict.index > 0: return conflict.index
            case .conflict: break
            }
        } catch {
            guard case .outcomeUnknown = error, let standing = try? await store.read([taskID]).records[0],
                standing.fence != named
            else { throw error }
            // Whoever else has it by now, or has ended it, is another holder.
            if standing.changedUnder == named, change != nil || standing.holder == course.holder {
                fence = standing.fence
                progress.notBefore = standing.dueAt ?? progress.notBefore
            }
        }
        guard let fence else { throw RedriveHeld(queue: letters.name, retryAfter: nil) }
        course.fence = fence
        course.progress = progress
        return nil
    }
}
