// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaCoordinator {
    /// What follows when a saga's state is durable.
    enum Settled {
        /// Those are to be called, or something else is under way.
        case goesOn([SagaState.Command])
        /// Nothing is under way, and nobody holds the saga any more.
        case letGo(SagaState.Rest)
        /// Another coordinator holds it; nothing was written.
        case lost
    }

    /// Decides what comes next, makes it durable together with the news, and reports both.
    ///
    /// Every commit names the mailbox as it was seen last, so that no message is overlooked: one that came meanwhile is
    /// read and heeded first.
    func settle(_ run: inout SagaRun, _ news: SagaNews, inFlight: Int) async throws(StoreError) -> Settled {
        var mailbox: SagaMailbox?
        while true {
            var (next, news) = (run.state, news)
            if let mailbox { heed(mailbox.messages, run.header.position, &next, &news) }
            let begins = !stop.isStopped && !Task.isCancelled
            let before = next.course
            let turn = next.proceed(at: run.now(time), deadline: run.deadline, begins: begins)
            news.entries += turn.entries
            if case (.forward, .backward(let cause)) = (before, next.course) { news.events.append(.wentBack(cause)) }
            let isHeld = inFlight + turn.commands.count > 0
            // A wait ended early, or the same question came up again.
            if isHeld, next == run.durable, news.entries.isEmpty { return .goesOn([]) }
            let batch = batch(run, next, news.entries, isHeld: isHeld, mailbox)
            let fences: [Fence]
            let sentAt = time.now()
            do throws(StoreError) {
                switch try await store.commit(batch.changes) {
                case .committed(let committed):
                    fences = committed.fences
                    run.told = (committed.now, time.now())
                case .conflict(let conflict):
                    run.told = (conflict.now, time.now())
                    if conflict.index == batch.changes.count - 1 {
                        guard let found = SagaMailbox(conflict.standing) else {
                            // Written by a newer version: whoever knows it takes the saga up.
                            throw .unavailable(
                                StoreFailure(operation: "read", subject: "\(mailID(run.id.key))", code: 0))
                        }
                        mailbox = found
                        run.mail = conflict.standing?.fence
                        continue
                    }
                    guard conflict.index > 0 else { return .lost }
                    // The header is ours, so only somebody outside can have touched the history.
                    throw .unavailable(
                        StoreFailure(
                            operation: "settle", subject: batch.changes[conflict.index].id.description, code: 0))
                }
            } catch {
                guard case .outcomeUnknown = error else { throw error }
                guard let found = try await lookUp(batch.changes, run, isHeld: isHeld, error) else { return .lost }
                fences = found
            }
            take(next, news.entries, batch, fences, &run)
            switch batch.mail {
            case .kept: break
            case .emptied: run.mail = fences[fences.count - 1]
            case .gone: run.mail = nil
            }
            let settled = tell(run, news, batch.rest, isHeld: isHeld, turn.commands)
            // An answer that took longer than the lease comes to one that may not hold the saga any more.
            if isHeld, .nanoseconds(time.now() - sentAt) >= lease,
                case .lost = try await store.extend(run.id, fence: run.fence, lease: lease)
            {
                return .lost
            }
            return settled
        }
    }

    private enum MailChange {
        case kept
        case emptied
        case gone
    }

    private struct Batch {
        var changes: [Change]
        let rest: SagaState.Rest
        let header: SagaHeader
        let mail: MailChange
    }

    /// The header, the new entries, the expiry of what is finished, and, last, the mailbox.
    private func batch(
        _ run: SagaRun, _ next: SagaState, _ entries: [SagaEntry], isHeld: Bool, _ mailbox: SagaMailbox?
    ) -> Batch {
        let rest = next.rest(deadline: run.deadline)
        var header = run.header
        header.position = next.position
        header.entries += entries.count
        let isOver = next.hasEnded
        let expires: RecordContent.When = isOver ? .after(retention) : .never
        let due: RecordContent.When =
            switch rest {
            case .ready: .after(.zero)
            case .waiting(nil): isHeld ? .after(.zero) : .never
            case .waiting(let until?): isHeld ? .after(.zero) : .after(run.now(time).duration(to: until))
            case .stuck: isHeld ? .after(.zero) : .never
            case .ended: .never
            }
        let content = header.content(
            next.position.label, headers: run.recordHeaders, due: due, expires: expires)
        var changes = [
            Change.replace(run.id, expecting: run.fence, with: content, lease: isHeld ? .extend(lease) : .end)
        ]
        for (offset, entry) in entries.enumerated() {
            let id = entryID(run.id.key, run.header.entries + offset)
            changes.append(.insert(id, entry.content(expires: expires)))
        }
        if isOver {
            for kept in run.kept {
                changes.append(
                    .replace(kept.id, expecting: kept.fence, with: kept.entry.content(expires: expires), lease: .keep))
            }
        }
        let mail = mailID(run.id.key)
        var mailChange = MailChange.kept
        switch run.mail {
        case let fence? where isOver:
            mailChange = .gone
            changes.append(.delete(mail, expecting: fence))
        case let fence? where mailbox.map { !$0.messages.isEmpty } ?? false:
            mailChange = .emptied
            changes.append(.replace(mail, expecting: fence, with: SagaMailbox.empty.content(), lease: .keep))
        case let fence:
            changes.append(.assert(mail, fence))
        }
        return Batch(changes: changes, rest: rest, header: header, mail: mailChange)
    }

    /// Looks once whether a commit with an unknown outcome is in; the fences of its records, or `nil` if the saga is
    /// lost.
    private func lookUp(
        _ changes: [Change], _ run: SagaRun, isHeld: Bool, _ error: StoreError
    ) async throws(StoreError) -> [Fence]? {
        let answer = try await store.read(changes.map(\.id))
        guard let header = answer.records[0], header.fence != run.fence else { throw error }
        guard header.changedUnder == run.fence else { return nil }
        // The change is in. If it kept the hold, somebody may have claimed the saga since.
        guard !isHeld || header.holder == run.holder else { return nil }
        return zip(changes, answer.records).map { change, record in
            // What somebody has changed since is looked at when the next commit finds that it is not as it was.
            guard let record, case .replace(_, let expected, _, _) = change, record.changedUnder != expected else {
                return record?.fence ?? header.fence
            }
            return expected
        }
    }

    private func take(
        _ next: SagaState, _ entries: [SagaEntry], _ batch: Batch, _ fences: [Fence], _ run: inout SagaRun
    ) {
        run.state = next
        run.durable = next
        run.fence = fences[0]
        for (offset, entry) in entries.enumerated() {
            let id = entryID(run.id.key, run.header.entries + offset)
            run.kept.append(SagaRun.Kept(id: id, fence: fences[offset + 1], entry: entry))
            run.note(entry)
        }
        run.header = batch.header
    }

    private func tell(
        _ run: SagaRun, _ news: SagaNews, _ rest: SagaState.Rest, isHeld: Bool, _ commands: [SagaState.Command]
    ) -> Settled {
        for event in news.events { report(event, run) }
        for entry in news.entries { report(SagaEvent.Kind(entry), run) }
        if isHeld { return .goesOn(commands) }
        switch rest {
        case .ended(let result):
            report(SagaEvent.Kind(result), run)
            waiters.tell(run.id.key)
        case .stuck(let stuck):
            report(.stuck(stuck), run)
            waiters.tell(run.id.key)
        case .waiting(let until): report(.waiting(until.map { run.now(time).duration(to: $0) }), run)
        case .ready: report(.interrupted, run)
        }
        return .letGo(rest)
    }
}

extension SagaEntry {
    /// What the entry's record is given.
    func content(expires: RecordContent.When) -> RecordContent {
        RecordContent(state: "\(kind)", body: encoded, expires: expires)
    }
}
