// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A log that runs through the limiters, line by line; knows no files.
struct Replay {
    /// Lines that were left out.
    struct LeftOut: Equatable {
        var count = 0
        /// The number of the first of them, from 1 on.
        var first = 0

        mutating func add(_ number: Int, count: Int = 1) {
            if self.count == 0 || number < first { first = number }
            self.count += count
        }
    }

    let rules: Rules
    private(set) var lines = 0
    /// What was no line of an access log.
    private(set) var malformed = LeftOut()
    /// What is wrong with the first of them.
    private(set) var problem: AccessLine.Problem?
    /// What was out of order by more than can be put right.
    private(set) var misplaced = LeftOut()
    private(set) var ledger: Ledger
    private(set) var total = Counts()
    private var order = LogOrder()
    private var judge: Judge?
    private var recorder: Recorder?

    init(_ rules: Rules) {
        self.rules = rules
        ledger = Ledger(capacity: rules.mostClients)
    }

    /// How many times there was no room for a client.
    var overflows: Int { judge?.overflows ?? 0 }

    /// Takes the next line of the log.
    mutating func take(_ line: LineBuffer.Line) {
        lines += 1
        do throws(AccessLine.Problem) {
            guard case .whole(let bytes) = line else { throw .tooLong }
            let parsed = try AccessLine(bytes)
            let key = try rules.key.key(of: parsed)
            if !order.add(key, at: parsed.time, line: lines) { misplaced.add(lines) }
        } catch {
            if malformed.count == 0 { problem = error }
            malformed.add(lines)
        }
        while let second = order.next() { run(second) }
    }

    /// Takes the end of the log.
    ///
    /// - Returns: What was asked for and passed over time; `nil` if there was no request.
    mutating func finish() -> Timeline? {
        while let second = order.last() { run(second) }
        if let second = order.leftOver { misplaced.add(second.line, count: second.keys.count) }
        return recorder?.finish()
    }

    private mutating func run(_ second: LogOrder.Second) {
        let now = second.time
        let judge = self.judge ?? Judge(rules, start: now)
        self.judge = judge
        var recorder = self.recorder.take() ?? Recorder(period: rules.period, wait: rules.wait, start: now)
        judge.move(to: now)
        recorder.advance(to: now)
        for key in second.keys {
            let isShown = rules.shown.map { $0 == key } ?? true
            var counts = Counts()
            counts[.requests] = 1
            if isShown { recorder.count(.requests, at: now) }
            judge.judge(key) { column, wait in
                counts[column] = 1
                if isShown { recorder.count(column, at: now + wait) }
            }
            ledger.add(counts, to: key)
            total += counts
        }
        self.recorder = recorder
    }
}
