// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A picture of several runs: for each the requests of every second, served and refused.
struct LoadChart {
    private static let width = 900
    private static let left = 70
    private static let panel = 130
    private static let gap = 46
    private static let top = 64

    let storms: [Storm]

    private var scenario: Scenario { storms.first?.scenario ?? Scenario() }
    private var seconds: Int { scenario.duration + 10 }
    private var height: Int { Self.top + storms.count * (Self.panel + Self.gap) + 10 }

    /// What the scale of every panel ends with: ten times what the server can do.
    private var most: Int { scenario.capacity * 10 }

    private func x(_ second: Int) -> Int { Self.left + second * (Self.width - Self.left - 20) / seconds }

    /// The document.
    var svg: String {
        var lines = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(Self.width) \#(height)" font-family="sans-serif">"#,
            #"<rect width="100%" height="100%" fill="white"/>"#,
            text(Self.left, 26, "Requests per second at one server, \(scenario.clients) clients", size: 17),
            text(
                Self.left, 46,
                "The server fails for \(scenario.outage.count) s (grey) and can serve \(scenario.capacity)/s (dashed). Each panel adds to the one above. Bars are cut at \(most).",
                size: 12),
        ]
        for (index, storm) in storms.enumerated() {
            lines += panel(storm, top: Self.top + 20 + index * (Self.panel + Self.gap))
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func panel(_ storm: Storm, top: Int) -> [String] {
        let all = Array(storm.seconds.prefix(seconds))
        func y(_ requests: Int) -> Int { top + Self.panel - min(requests, most) * Self.panel / most }

        let (from, to) = (x(scenario.outage.lowerBound), x(scenario.outage.upperBound))
        var lines = [
            #"<rect x="\#(from)" y="\#(top)" width="\#(to - from)" height="\#(Self.panel)" fill="gainsboro"/>"#,
            area(all.map(\.requests), y, base: top + Self.panel, color: "indianred"),
            area(all.map(\.served), y, base: top + Self.panel, color: "seagreen"),
            #"<path d="M\#(Self.left) \#(y(scenario.capacity))H\#(x(seconds))" stroke="dimgray" stroke-dasharray="5 4"/>"#,
            #"<path d="M\#(Self.left) \#(top)V\#(top + Self.panel)H\#(x(seconds))" fill="none" stroke="dimgray"/>"#,
            text(Self.left + 8, top - 7, "\(storm.strategy.rawValue): \(note(storm))", size: 13),
        ]
        for mark in [0, scenario.capacity, most] {
            lines.append(text(Self.left - 8, y(mark) + 4, "\(mark)", size: 11, anchor: "end"))
        }
        for second in stride(from: 0, through: seconds, by: 30) {
            lines.append(text(x(second), top + Self.panel + 14, "\(second) s", size: 11, anchor: "middle"))
        }
        return lines
    }

    private func note(_ storm: Storm) -> String {
        let recovery = storm.recovery.map { "recovered after \($0) s" } ?? "never recovers"
        return "\(storm.loadInOutage)/s in the outage, \(storm.callsFailed) calls failed, \(recovery)"
    }

    /// Steps of a second each, filled down to the base.
    private func area(_ values: [Int], _ y: (Int) -> Int, base: Int, color: String) -> String {
        var path = "M\(x(0)) \(base)"
        for (second, value) in values.enumerated() { path += "V\(y(value))H\(x(second + 1))" }
        return #"<path d="\#(path)V\#(base)Z" fill="\#(color)"/>"#
    }

    private func text(_ x: Int, _ y: Int, _ text: String, size: Int, anchor: String = "start") -> String {
        #"<text x="\#(x)" y="\#(y)" font-size="\#(size)" text-anchor="\#(anchor)" fill="black">\#(text)</text>"#
    }
}
