// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaCoordinator {
    /// What happened to a saga so far, as text for people: a line for each entry of its history, and where it stands.
    ///
    /// ```
    /// trip v1 (5d0c7b1f2e8a9436), saga trip-7
    /// +0:00:00.000  started
    /// +0:00:00.041  flight  done
    /// +0:00:00.402  hotel   given up after 2 calls, perhaps applied: Timeout: too slow
    /// +0:00:00.611  hotel   undone in 3 calls
    /// +0:00:00.655  flight  undone
    /// +0:00:00.655  compensated because of hotel: Timeout: too slow
    /// ```
    ///
    /// The times are since the saga's start, in hours, minutes and seconds of the store's time, cut to milliseconds.
    /// Errors and reasons stand in it as they are stored, on one line each; inputs and outputs do not.
    ///
    /// - Returns: The text; `nil` if there is no such saga.
    /// - Throws: `StoreError`, ``UnreadableSaga``.
    public func timeline(_ sagaID: String) async throws -> String? {
        let answer = try await store.read([headerID(sagaID)])
        guard let record = answer.records[0] else { return nil }
        let header = try SagaHeader(record)
        // What came in between belongs to a later look.
        let entries = try await history(sagaID).prefix(header.entries)
        return SagaTimeline(record: record, header: header, entries: Array(entries), now: answer.now).text
    }
}

extension SagaHandle {
    /// What happened to the saga so far, as text for people; see ``SagaCoordinator/timeline(_:)``.
    ///
    /// - Throws: ``SagaNotFound``; ``UnreadableSaga``; `StoreError`.
    public func timeline() async throws -> String {
        guard let text = try await coordinator.timeline(id) else { throw SagaNotFound(sagaID: id) }
        return text
    }
}

/// Puts a saga's history into words. Pure.
struct SagaTimeline {
    let record: Record
    let header: SagaHeader
    let entries: [SagaEntry]
    let now: Timestamp

    var text: String {
        var lines = ["\(SagaText.line(header.shape.description)), saga \(record.id.key)"]
        lines.append(line(at: record.createdAt, "started"))
        let open = header.position.branches.filter { !$0.branch.hasEnded }
        let width = (entries.compactMap(\.step) + open.map(\.name)).map(\.count).max() ?? 0
        for entry in entries { lines.append(line(at: entry.at, padded(entry.step, width) + words(for: entry))) }
        for named in open { lines.append(line(at: now, padded(named.name, width) + words(for: named.branch))) }
        lines.append(line(at: hasEnded ? entries.last?.at : now, standing))
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(at time: Timestamp?, _ words: String) -> String {
        "+\(SagaText.time(record.createdAt.duration(to: time ?? record.createdAt)))  \(words)"
    }

    private func padded(_ step: String?, _ width: Int) -> String {
        guard let step else { return "" }
        return step + String(repeating: " ", count: width - step.count + 2)
    }

    private func words(for entry: SagaEntry) -> String {
        let calls = SagaText.calls(entry.attempts)
        let words =
            switch entry.kind {
            case .succeeded: "done" + (entry.attempts > 1 ? " in \(calls)" : "")
            case .notApplied: (entry.attempts > 0 ? "given up after \(calls)" : "given up") + ", not applied"
            case .failed: "given up after \(calls), perhaps applied"
            case .compensated: "undone" + (entry.attempts > 1 ? " in \(calls)" : "")
            case .skipped: "skipped by hand"
            case .signalled: "came"
            case .retried: "tried again by hand"
            case .aborted: "aborted by hand"
            case .refused: "asked for by hand, and refused"
            case .migrated: "goes on under another version"
            }
        return ([words, entry.failure.map(SagaText.words)] + [entry.reason].map { $0.map(SagaText.line) })
            .compactMap(\.self).joined(separator: ": ")
    }

    private var hasEnded: Bool {
        switch header.position.course {
        case .completed, .compensated: true
        case .forward, .backward: false
        }
    }

    /// Where an open step stands.
    private func words(for branch: SagaBranch) -> String {
        let isHeld = record.isHeld(at: now)
        let what = if case .backward = header.position.course { "compensation" } else { "action" }
        let words =
            switch branch.activity {
            case .idle: "comes next"
            case .calling: "its \(what) \(isHeld ? "is" : "was") being called, call \(branch.attempts)"
            case .interrupted: "its \(what) was cut short"
            case .doubtful: "its probe comes next"
            case .asking: "its probe \(isHeld ? "is" : "was") being asked"
            case .waiting(let until) where branch.attempts == 0 && !branch.hasFailed: "waits for another \(left(until))"
            case .waiting(let until):
                "is called again in \(left(until)), after \(SagaText.calls(branch.attempts))"
            case .listening: "waits for the event"
            case .askingAgain(let until):
                "its probe is asked again in \(left(until)), after \(SagaText.calls(branch.probes))"
            case .parked(let reason): "cannot go on: \(reason), after \(SagaText.calls(branch.attempts))"
            case .done, .failed, .notApplied: preconditionFailure("A step that has ended is no open one")
            }
        let failure =
            switch branch.activity {
            case .asking, .askingAgain, .parked(.probeFailed): branch.askFailure
            case .idle, .calling, .interrupted, .doubtful, .waiting, .listening, .parked, .done, .failed, .notApplied:
                branch.lastFailure
            }
        return [words, failure.map(SagaText.words)].compactMap(\.self).joined(separator: "; last ")
    }

    private func left(_ until: Timestamp) -> String { SagaText.time(now.duration(to: until)) }

    /// Where the whole saga stands.
    private var standing: String {
        let position = header.position
        switch position.course {
        case .completed: return "completed"
        case .compensated(let cause): return "compensated because of \(SagaText.line(cause.description))"
        case .forward, .backward: break
        }
        var words = [position.label.rawValue]
        if record.state == SagaStatus.State.blocked.rawValue { words = ["blocked: its definition is not known"] }
        if let cause = position.cause { words.append("back because of \(SagaText.line(cause.description))") }
        if record.isHeld(at: now) {
            words.append("driven now")
        } else if let due = record.dueAt {
            words.append("taken up \(due > now ? "in \(left(due))" : "by the next coordinator")")
        } else {
            words.append("waits for somebody")
        }
        return words.joined(separator: ", ")
    }
}

extension SagaPosition {
    /// Why the saga goes back, or is about to.
    fileprivate var cause: SagaFailure? { if case .backward(let cause) = course { cause } else { turningBack } }
}

/// Words of a timeline.
enum SagaText {
    static func calls(_ count: Int) -> String { count == 1 ? "1 call" : "\(count) calls" }

    /// The failure without its step.
    static func words(_ failure: SagaFailure) -> String { line("\(failure.errorType): \(failure.message)") }

    /// Text on one line: what ends a line, or is not shown, becomes a space.
    static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: " "
                    default: scalar
                    }
                }))
    }

    /// Hours, minutes and seconds, cut to milliseconds; zero if negative.
    static func time(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.nanosecondsRoundedDown) / 1_000_000
        func digits(_ number: Int64, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        return "\(seconds / 3_600):\(digits(seconds / 60 % 60, 2)):\(digits(seconds % 60, 2)).\(digits(rest, 3))"
    }
}
