// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A picture of a timeline: for each algorithm what passed in the last period, and what was asked for and passed.
///
/// All places are worked out in whole tenths of a pixel, so that the picture is the same on every machine.
struct TimelineChart {
    private static let width = 960
    private static let left = 58
    private static let right = 924
    private static let top = 124
    /// The heights of what passed in the last period, of the bars below, of all that belongs to an algorithm, and of
    /// the gap between the first two.
    private static let area = 92
    private static let bars = 30
    private static let panel = 194
    private static let gap = 14

    private static let blue = "#5b8fc7"
    private static let orange = "#e8793a"
    private static let green = "#3c8d5a"
    private static let gray = "#cfcfcf"

    let timeline: Timeline
    let rules: Rules

    private var height: Int { Self.top + Column.algorithms.count * Self.panel - 24 }

    /// The document.
    var svg: String {
        let subject = rules.shown.map(\.displayed) ?? "All clients together"
        var lines = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(Self.width) \#(height)" font-family="sans-serif">"#,
            #"<rect width="100%" height="100%" fill="white"/>"#,
            Self.text(Self.left, 32, "\(subject): what each algorithm lets through", size: 18, weight: "bold"),
            Self.text(
                Self.left, 54,
                "\(rules.limit) requests in \(rules.period) s for each \(rules.key.noun). Times are in UTC.", size: 13),
        ]
        lines += legend
        for (index, column) in Column.algorithms.enumerated() {
            lines += panel(column, top: Self.top + index * Self.panel)
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    // MARK: Scales

    /// Tenths of a pixel from the left, of the place where a bucket begins.
    private func x(_ bucket: Int) -> Int {
        Self.left * 10 + bucket * (Self.right - Self.left) * 10 / max(1, timeline.buckets.count)
    }

    private func x(at second: Int64) -> Int {
        let span = max(1, timeline.end - timeline.start)
        return Self.left * 10 + Int((second - timeline.start) * Int64(Self.right - Self.left) * 10 / span)
    }

    /// What the scale of the last period ends with; the same for all algorithms.
    private var most: Int {
        let most = Column.algorithms.map { timeline.most[$0] }.max() ?? 0
        return max(1, rules.shown == nil ? most : max(most, rules.limit))
    }

    /// What the scale of the bars ends with.
    private var mostInBucket: Int {
        max(1, timeline.buckets.map { bucket in Column.allCases.map { bucket.counts[$0] }.max() ?? 0 }.max() ?? 1)
    }

    // MARK: Parts

    private var legend: [String] {
        let perBucket = timeline.width == 1 ? "in one second" : "in \(timeline.width) s"
        var items = [
            (Self.box(Self.blue), "let through in the last \(rules.period) s", 230),
            (Self.box(Self.orange), "above the limit", 140),
            (Self.box(Self.gray), "asked for, \(perBucket)", 190),
            (Self.box(Self.green), "let through", 110),
        ]
        if rules.shown == nil { items.remove(at: 1) }
        if !edges.isEmpty {
            items.append(({ Self.edge("\($0 + 6)", from: $1 - 11, to: $1 + 3) }, "a fixed window's edge", 0))
        }
        var x = Self.left
        return items.flatMap { mark, title, width in
            defer { x += width }
            return [mark(x, 84), Self.text(x + 18, 84, title, size: 12)]
        }
    }

    private func panel(_ column: Column, top: Int) -> [String] {
        let (base, floor) = (top + Self.area, top + Self.area + Self.gap + Self.bars)
        let passed = timeline.buckets.map { $0.most[column] }
        let isLimited = rules.shown != nil
        func y(_ value: Int) -> Int { base * 10 - value * Self.area * 10 / most }
        func yOfBar(_ value: Int) -> Int { floor * 10 - value * Self.bars * 10 / mostInBucket }

        var lines = edges.map { Self.edge(Self.tenths(x(at: $0)), from: top, to: floor) }
        if isLimited { lines.append(steps(passed, y, base, Self.orange)) }
        lines.append(steps(passed.map { isLimited ? min($0, rules.limit) : $0 }, y, base, Self.blue))
        lines.append(steps(timeline.buckets.map { $0.counts[.requests] }, yOfBar, floor, Self.gray))
        lines.append(steps(timeline.buckets.map { $0.counts[column] }, yOfBar, floor, Self.green))
        lines += [base, floor].map { #"<path d="M\#(Self.left) \#($0)H\#(Self.right)" stroke="dimgray"/>"# }
        if isLimited {
            let limit = Self.tenths(y(rules.limit))
            lines.append(#"<path d="M\#(Self.left) \#(limit)H\#(Self.right)" stroke="black" stroke-dasharray="6 3"/>"#)
        }
        lines += marks.map { Self.text(Self.left - 8, y($0) / 10 + 4, "\($0)", size: 11, anchor: "end") }
        lines.append(Self.text(Self.left - 8, floor - Self.bars + 8, "\(mostInBucket)", size: 11, anchor: "end"))
        lines.append(Self.text(Self.left, top - 10, title(column), size: 14, weight: "bold"))
        lines.append(Self.text(Self.right, top - 10, note(column), size: 12, anchor: "end"))
        return lines + axis(y: floor)
    }

    /// The numbers of the scale: zero, the limit, and the most if there is room for it.
    private var marks: [Int] {
        guard rules.shown != nil else { return [0, most] }
        let hasRoom = (most - rules.limit) * Self.area / most >= 12
        return hasRoom ? [0, rules.limit, most] : [0, rules.limit]
    }

    /// What the algorithm is called, with the setting that only it has.
    private func title(_ column: Column) -> String {
        switch column {
        case .tokenBucket: "\(column.title), \(rules.burst ?? rules.limit) at once"
        case .leakyBucket: "\(column.title), waits of up to \(rules.wait) s"
        case .requests, .slidingLog, .slidingCounter, .fixedWindow: column.title
        }
    }

    private func note(_ column: Column) -> String {
        let counts = timeline.buckets.reduce(into: Counts()) { $0 += $1.counts }
        return "\(counts[column]) of \(counts[.requests]) let through, at most \(timeline.most[column]) in any "
            + "\(rules.period) s"
    }

    /// The seconds at which windows begin, where they are not too many to be seen.
    private var edges: [Int64] {
        guard (timeline.end - timeline.start) / rules.period <= 40 else { return [] }
        return Self.multiples(of: rules.period, timeline.start + 1, timeline.end)
    }

    private func axis(y: Int) -> [String] {
        let span = timeline.end - timeline.start
        let (minute, hour, day): (Int64, Int64, Int64) = (60, 3_600, 86_400)
        let steps: [Int64] = [
            1, 2, 5, 10, 15, 30, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour, 2 * hour,
            3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day, 1_820 * day,
        ]
        let step = steps.first { span / $0 <= 10 } ?? span / 10
        return Self.multiples(of: step, timeline.start, timeline.end).flatMap { second in
            let date = LogTime.Date(second)
            let clock = step < minute ? date.clock : Swift.String(date.clock.dropLast(3))
            let title = step < day ? clock : "\(date.day) \(date.month) \(date.year)"
            let place = Self.tenths(x(at: second))
            return [
                #"<path d="M\#(place) \#(y)v4" stroke="dimgray"/>"#,
                #"<text x="\#(place)" y="\#(y + 16)" font-size="11" text-anchor="middle" fill="black">\#(title)</text>"#,
            ]
        }
    }

    private static func multiples(of step: Int64, _ first: Int64, _ last: Int64) -> [Int64] {
        guard first <= last else { return [] }
        return Array(stride(from: (first + step - 1) / step * step, through: last, by: Int(step)))
    }

    // MARK: Elements

    /// Steps of a bucket each, filled down to the base.
    private func steps(_ values: [Int], _ y: (Int) -> Int, _ base: Int, _ color: String) -> String {
        var path = "M\(Self.tenths(x(0))) \(base)"
        var value = 0
        for (index, next) in (values + [0]).enumerated() where next != value {
            path += "H\(Self.tenths(x(index)))V\(Self.tenths(y(next)))"
            value = next
        }
        return #"<path d="\#(path)Z" fill="\#(color)"/>"#
    }

    private static func box(_ color: String) -> (_ x: Int, _ y: Int) -> String {
        { #"<rect x="\#($0)" y="\#($1 - 10)" width="12" height="12" fill="\#(color)"/>"# }
    }

    private static func edge(_ x: String, from top: Int, to bottom: Int) -> String {
        #"<path d="M\#(x) \#(top)V\#(bottom)" stroke="darkgray" stroke-dasharray="2 2"/>"#
    }

    private static func text(
        _ x: Int, _ y: Int, _ text: String, size: Int, anchor: String = "start", weight: String = "normal"
    ) -> String {
        let attributes = #"font-size="\#(size)" font-weight="\#(weight)" text-anchor="\#(anchor)" fill="black""#
        return #"<text x="\#(x)" y="\#(y)" \#(attributes)>\#(escaped(text))</text>"#
    }

    private static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            default: Swift.String(character)
            }
        }.joined()
    }

    /// Tenths as a number with one decimal, or with none if it is a whole one.
    private static func tenths(_ number: Int) -> String {
        number % 10 == 0 ? "\(number / 10)" : "\(number / 10).\(number % 10)"
    }
}

extension KeyRule {
    fileprivate var noun: String {
        switch self {
        case .client: "client"
        case .user: "user"
        case .pathPrefix: "first part of a path"
        }
    }
}
