// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a concurrent object does when it is called by one caller after the other.
package protocol SequentialModel {
    associatedtype Call: Sendable
    associatedtype Answer: Sendable
    associatedtype Fingerprint: Hashable

    /// Everything that later answers depend on: models with equal fingerprints answer every call alike.
    var fingerprint: Fingerprint { get }

    /// Carries out the call, and says whether it may have been answered so.
    ///
    /// After `false` the model is of no use any more. `nil` stands for an answer that nobody got: the call is carried
    /// out and whatever it answers is right.
    mutating func apply(_ call: Call, answered answer: Answer?) -> Bool
}

/// A call of a concurrent object as its caller saw it, with its place among the others.
///
/// The numbers are stamps of one counter: a call that returned at a lower number than another was made was over before
/// that one began.
package struct ObservedCall<Call: Sendable, Answer: Sendable>: Sendable, CustomStringConvertible {
    package enum Outcome: Sendable {
        case answered(Answer, at: Int)
        /// Nobody knows: the call takes effect at some time after it was made, or never.
        case unknown
    }

    package let call: Call
    package let made: Int
    package let outcome: Outcome

    package init(_ call: Call, made: Int, outcome: Outcome) {
        if case .answered(_, let returned) = outcome {
            precondition(returned > made, "A call made at \(made) returned at \(returned)")
        }
        self.call = call
        self.made = made
        self.outcome = outcome
    }

    package var answer: Answer? {
        switch outcome {
        case .answered(let answer, _): answer
        case .unknown: nil
        }
    }

    /// When the call was over; a call of unknown outcome never is.
    package var returned: Int {
        switch outcome {
        case .answered(_, let returned): returned
        case .unknown: .max
        }
    }

    package var description: String {
        switch outcome {
        case .answered(let answer, let returned): "\(made)–\(returned) \(call) → \(answer)"
        case .unknown: "\(made)– \(call) → unknown"
        }
    }
}

/// An order in which the calls of a history, carried out one by one, answer what they answered.
package struct Linearization<Model: SequentialModel> {
    /// The calls as indexes into the history; one of unknown outcome is left out if nothing asked for its effect.
    package let order: [Int]
    /// The model after the last of them.
    package let end: Model
}

/// No order explains the answers of a history.
package struct NotLinearizable: Error, CustomStringConvertible {
    /// The calls of the longest order that was found, as indexes into the history.
    package let placed: [Int]
    /// The calls that could come next and answered what the model never does there.
    package let unplaced: [Int]
    package let description: String
}

/// Finds an order of the calls in which each takes effect at one moment between its being made and its return
/// (Herlihy and Wing, "Linearizability: a correctness condition for concurrent objects", 1990).
///
/// It is the depth-first search of Wing and Gong ("Testing and verifying concurrent objects", 1993) that never comes
/// twice to the same set of calls with the same model (Lowe, "Testing for linearizability", 2017). The time grows with
/// the number of such pairs: with the product of the lengths of what runs side by side, but only with the sum of what
/// comes one after the other.
///
/// - Throws: ``NotLinearizable`` if there is no such order.
package func linearize<Model: SequentialModel>(
    _ history: [ObservedCall<Model.Call, Model.Answer>], from model: Model
) throws(NotLinearizable) -> Linearization<Model> {
    var search = LinearizationSearch(history, from: model)
    if let found = search.run() { return found }
    throw search.refutation
}

private struct LinearizationSearch<Model: SequentialModel> {
    /// A step on the way: the model there, and the calls that have not been tried as the next one.
    private struct Step {
        let model: Model
        var untried: [Int]
    }

    private struct Visit: Hashable {
        let placed: CallSet
        let fingerprint: Model.Fingerprint
    }

    private let history: [ObservedCall<Model.Call, Model.Answer>]
    /// The history's indexes in the order in which the calls were made.
    private let byMaking: [Int]
    private var steps: [Step]
    /// The calls that lead from each step to the next.
    private var order: [Int] = []
    private var placed: CallSet
    private var visits: Set<Visit> = []
    /// How many calls with an answer have no place yet.
    private var missing: Int
    private var longest: (order: [Int], model: Model, missing: Int)

    init(_ history: [ObservedCall<Model.Call, Model.Answer>], from model: Model) {
        self.history = history
        byMaking = history.indices.sorted { history[$0].made < history[$1].made }
        placed = CallSet(count: history.count)
        missing = history.count { $0.answer != nil }
        longest = ([], model, missing)
        steps = []
        steps.append(Step(model: model, untried: next))
    }

    /// The calls that may take effect next, last the one to try first: those that were made before any other call
    /// without a place returned. Calls of unknown outcome are tried when nothing else helps.
    private var next: [Int] {
        var answered: [Int] = []
        var unknown: [Int] = []
        var bound = Int.max
        for index in byMaking where !placed.contains(index) {
            // Whatever was made later returned later, too.
            guard history[index].made < bound else { break }
            bound = min(bound, history[index].returned)
            if history[index].answer == nil { unknown.append(index) } else { answered.append(index) }
        }
        return unknown.reversed() + answered.reversed()
    }

    mutating func run() -> Linearization<Model>? {
        while let last = steps.indices.last {
            guard missing > 0 else { return Linearization(order: order, end: steps[last].model) }
            guard let index = steps[last].untried.popLast() else {
                stepBack()
                continue
            }
            var model = steps[last].model
            guard model.apply(history[index].call, answered: history[index].answer) else { continue }
            placed.toggle(index)
            guard visits.insert(Visit(placed: placed, fingerprint: model.fingerprint)).inserted else {
                placed.toggle(index)
                continue
            }
            step(to: model, by: index)
        }
        return nil
    }

    private mutating func step(to model: Model, by index: Int) {
        order.append(index)
        if history[index].answer != nil { missing -= 1 }
        if missing < longest.missing { longest = (order, model, missing) }
        steps.append(Step(model: model, untried: next))
    }

    private mutating func stepBack() {
        steps.removeLast()
        // The first step has no call that leads to it.
        guard let index = order.popLast() else { return }
        placed.toggle(index)
        if history[index].answer != nil { missing += 1 }
    }

    /// What to tell after a search that found nothing.
    var refutation: NotLinearizable {
        var search = self
        search.placed = CallSet(count: history.count)
        for index in longest.order { search.placed.toggle(index) }
        let unplaced = Array(search.next.reversed().prefix { history[$0].answer != nil })
        let text = """
            No order of \(history.count) calls explains their answers. The longest that explains some, \
            \(longest.order.count) calls, ends with
            \(longest.order.suffix(8).map(line).joined(separator: "\n"))
            where the model is
              \(longest.model)
            and none of these can be the next:
            \(unplaced.map(line).joined(separator: "\n"))
            """
        return NotLinearizable(placed: longest.order, unplaced: unplaced, description: text)
    }

    private func line(_ index: Int) -> String { "  #\(index) \(history[index])" }
}

/// A set of indexes into a history.
private struct CallSet: Hashable {
    private var words: [UInt64]

    init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

    func contains(_ index: Int) -> Bool { words[index / 64] & (1 << UInt64(index % 64)) != 0 }

    mutating func toggle(_ index: Int) { words[index / 64] ^= 1 << UInt64(index % 64) }
}
