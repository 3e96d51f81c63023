// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// The lives of the store in one directory, told by its children and by the inspections between, and their judge.
struct Story {
    /// How many events are told when something is wrong.
    private static let length = 60
    /// A child that says nothing and does not end for so long hangs.
    static let patience = Duration.seconds(30)

    let directory: String
    private(set) var ledger = Ledger()
    /// The errors that were reported since the last inspection.
    private(set) var errors: [ReportedError] = []
    /// How often the store was opened.
    private(set) var openings = 0
    /// How many snapshots the store has written.
    private(set) var compactions = 0
    /// What the store told of on its own since the last inspection.
    private(set) var notices: [ReportedError] = []
    private var last: [String] = []

    init(_ directory: String) { self.directory = directory }

    /// A failure of the trial, with the events before it.
    func failure(_ what: String) -> TrialFailed { TrialFailed(what: what, story: last) }

    /// Notes something that the trial does, among the events.
    mutating func note(_ what: String) {
        last.append(what)
        if last.count > 2 * Self.length { last.removeFirst(last.count - Self.length) }
    }

    mutating func take(_ event: Event) throws(TrialFailed) {
        note(event.line)
        switch event {
        case .failed(_, let error), .notOpened(let error), .notClosed(let error): errors.append(error)
        case .told(let error): notices.append(error)
        case .opened: openings += 1
        case .compacted: compactions += 1
        default: break
        }
        do {
            try ledger.take(event)
        } catch {
            throw TrialFailed(what: "\(error)", story: Array(last.suffix(Self.length)))
        }
    }

    /// Takes what the child reports until the given time; `false` if the child has closed its output.
    @discardableResult
    mutating func follow(_ child: Child, until deadline: ContinuousClock.Instant) throws -> Bool {
        while true {
            switch try child.nextLine(until: deadline) {
            case .timedOut: return true
            case .ended: return false
            case .line(let line): try take(line)
            }
        }
    }

    /// Takes what the child reports until an event of a kind has come; `false` if the child has closed its output.
    @discardableResult
    mutating func follow(_ child: Child, until isAwaited: (Event) -> Bool) throws -> Bool {
        while true {
            switch try child.nextLine(until: ContinuousClock.now + Self.patience) {
            case .timedOut: throw hang(child)
            case .ended: return false
            case .line(let line): if isAwaited(try take(line)) { return true }
            }
        }
    }

    /// Takes everything that the child still reports, and waits for its end.
    mutating func finish(_ child: Child) throws -> Exit {
        try follow(child) { _ in false }
        let exit = child.wait()
        note("(the child ended with \(exit))")
        return exit
    }

    /// Takes the end of a child that was killed.
    mutating func finishKilled(_ child: Child) throws {
        child.kill()
        let exit = try finish(child)
        guard exit == .killed else { throw failure("the child ended with \(exit) before it was killed") }
    }

    mutating func forgetErrors() {
        errors = []
        notices = []
    }

    @discardableResult
    private mutating func take(_ line: String) throws(TrialFailed) -> Event {
        guard let event = Event(line) else { throw failure("the child wrote: \(line)") }
        try take(event)
        return event
    }

    private func hang(_ child: Child) -> TrialFailed {
        child.kill()
        return failure("the child hung: it said nothing for \(Self.patience)")
    }
}

extension Exit {
    static let killed = Exit.signal(9)
}
