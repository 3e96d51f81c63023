// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaDefinition {
    /// The definition as a flowchart in the language of Mermaid, for documentation and reviews.
    ///
    /// Solid arrows lead forward, dotted ones back: from each step that can make the saga go back to the compensations
    /// that are called then, and from these to the ones before. Steps of a group stand in a frame. The pivot is a
    /// hexagon, after which no arrow leads back; a step that is called until it succeeds has double sides, one that only
    /// looks is slanted, an event has a notch, a timer is a circle. What only people or the deadline cause is not drawn.
    ///
    /// The same definition gives the same text on every machine. In names everything but letters, digits and spaces is
    /// written as a number where it could mean something to Mermaid.
    public var mermaid: String { SagaDiagram(shape: shape, traits: plan.traits, deadline: deadline).text }
}

/// Draws the steps of a definition. Pure.
struct SagaDiagram {
    let shape: SagaShape
    let traits: SagaTraits
    let deadline: Duration?

    var text: String {
        var title = Self.escaped(shape.name) + " v\(shape.version)"
        if let deadline { title += ", deadline \(deadline)" }
        var lines = ["start([\"\(title)\"])"]
        for stage in traits.stages.indices { lines += nodes(stage) }
        lines.append("completed([\"completed\"])")
        for index in traits.steps.indices where traits.steps[index].kind == .compensatable {
            lines.append("u\(index)[\"undo \(Self.escaped(traits.steps[index].name))\"]")
        }
        var arrows = forward
        let back = backward
        if !back.isEmpty { lines.append("compensated([\"compensated\"])") }
        arrows += back
        return (["flowchart TD"] + (lines + arrows).map { "    " + $0 }).joined(separator: "\n") + "\n"
    }

    private func nodes(_ stage: Int) -> [String] {
        let steps = traits.stages[stage].map(node)
        guard steps.count > 1 else { return steps }
        return ["subgraph g\(stage)[\"together\"]"] + steps.map { "    " + $0 } + ["end"]
    }

    private func node(_ index: Int) -> String {
        let step = traits.steps[index]
        let name = Self.escaped(step.name)
        return switch step.kind {
        case .compensatable: "s\(index)[\"\(name)\"]"
        case .pivot: "s\(index){{\"\(name)\"}}"
        case .retriable: "s\(index)[[\"\(name)\"]]"
        case .reading: "s\(index)[/\"\(name)\"/]"
        case .event: "s\(index)>\"\(name)\(step.wait.map { ", within \($0)" } ?? "")\"]"
        case .timer: "s\(index)((\"\(name)\(step.wait.map { ", \($0)" } ?? "")\"))"
        }
    }

    private var forward: [String] {
        let stages = [["start"]] + traits.stages.map { $0.map { "s\($0)" } } + [["completed"]]
        return zip(stages, stages.dropFirst()).map { Self.arrow($0, "-->", $1) }
    }

    /// From what can fail to what is undone then, and on to the start.
    private var backward: [String] {
        var arrows: [String] = []
        for stage in traits.stages.indices where !traits.isPastPivot(stage) {
            for cause in ["fails", "is late"] {
                let steps = traits.stages[stage].filter { Self.cause(of: traits.steps[$0]) == cause }
                guard !steps.isEmpty else { continue }
                arrows.append(Self.arrow(steps.map { "s\($0)" }, "-. \(cause) .->", undone(from: stage)))
            }
        }
        for stage in traits.stages.indices.reversed() {
            let own = compensations(stage)
            if !own.isEmpty { arrows.append(Self.arrow(own, "-.->", undone(from: stage - 1))) }
        }
        return arrows
    }

    /// Why a saga may go back at a step, if it may.
    private static func cause(of step: SagaStepTraits) -> String? {
        switch step.kind {
        case .compensatable, .pivot, .reading: "fails"
        case .event: step.wait == nil ? nil : "is late"
        case .timer, .retriable: nil
        }
    }

    /// What is undone first when the saga goes back from that stage.
    private func undone(from stage: Int) -> [String] {
        var stage = stage
        while stage >= 0 {
            let compensations = compensations(stage)
            if !compensations.isEmpty { return compensations }
            stage -= 1
        }
        return ["compensated"]
    }

    private func compensations(_ stage: Int) -> [String] {
        traits.stages[stage].filter { traits.steps[$0].kind == .compensatable }.map { "u\($0)" }
    }

    private static func arrow(_ from: [String], _ arrow: String, _ to: [String]) -> String {
        "\(from.joined(separator: " & ")) \(arrow) \(to.joined(separator: " & "))"
    }

    /// A name as it can stand between quotation marks: nothing of it is taken for markup, wherever it stands.
    static func escaped(_ name: String) -> String {
        let scalars = Array(name.unicodeScalars)
        func isPlain(_ index: Int) -> Bool {
            guard scalars.indices.contains(index) else { return false }
            return scalars[index].properties.isAlphabetic || ("0"..."9").contains(scalars[index])
        }
        var text = ""
        for (index, scalar) in scalars.enumerated() {
            // Inside a word these mean nothing.
            let isInside = "-_.".unicodeScalars.contains(scalar) && isPlain(index - 1) && isPlain(index + 1)
            if isPlain(index) || isInside || scalar == " " {
                text.unicodeScalars.append(scalar)
            } else {
                text += "#\(scalar.value);"
            }
        }
        return text
    }
}
