// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import ReliabilityTesting
import Testing

@testable import Sagas

@Suite struct SagaDefinitionTests {
    private static func steps(_ text: String) -> [[SagaStepTraits]] {
        text.split(separator: " ").map { stage in
            stage.split(separator: "&").enumerated().map { index, name in
                let kind: SagaStepKind =
                    switch name.first {
                    case "P": .pivot
                    case "T": .retriable
                    case "r": .reading
                    case "e", "E": .event
                    case "t": .timer
                    default: .compensatable
                    }
                let wait: Duration? = name.first == "E" || kind == .timer ? .seconds(1) : nil
                return SagaStepTraits(name: String(name), kind: kind, wait: wait)
            }
        }
    }

    /// `c` can be undone, `P` is a pivot, `T` retriable, `r` looks, `e` and `E` are events without and with an end, `t`
    /// is a timer; `&` joins the steps of a group.
    @Test(arguments: [
        ("c1", nil), ("P", nil), ("r", nil), ("e", nil), ("E", nil), ("t", nil),
        ("c1 c2 c3", nil), ("c1&c2 c3", nil), ("c1 P T1 T2", nil), ("c1 P T1&T2 r", nil), ("P T1", nil),
        ("r1 c1&r2&e1&t1 E1 P e2 t2 r3 T1", nil), ("P T1&r1&e1&t1", nil), ("c1 P", nil),
        ("", "1 to 100 steps, not 0"),
        ("c1 c1", "unique names"), ("c1&c1", "unique names"), ("c1 P T1 T1", "unique names"),
        ("P1 P2", "one pivot"), ("c1 P1 T1 P2", "one pivot"), ("P1&P2", "cannot be one of a group"),
        ("c1&P", "cannot be one of a group"), ("P&r1", "cannot be one of a group"),
        ("P c1", "nothing is undone any more"), ("P T1&c1", "nothing is undone any more"),
        ("T1", "has to come after a pivot"), ("c1 T1 P", "has to come after a pivot"),
        ("c1&T1 P", "has to come after a pivot"),
        ("P E", "cannot be late"), ("P T1&E", "cannot be late"),
    ])
    func `an order that cannot work is refused, with what is wrong with it`(_ row: (text: String, objection: String?)) {
        let objection = SagaTraits.objection(to: Self.steps(row.text))
        if let expected = row.objection {
            #expect(objection?.contains(expected) == true, "\(row.text): \(objection as Any)")
        } else {
            #expect(objection == nil, "\(row.text)")
        }
    }

    @Test func `a definition has at most a hundred steps, and a group at least one`() {
        let names = (1...101).map { "c\($0)" }
        #expect(SagaTraits.objection(to: Self.steps(names.prefix(100).joined(separator: " "))) == nil)
        #expect(SagaTraits.objection(to: Self.steps(names.joined(separator: " ")))?.contains("not 101") == true)
        #expect(SagaTraits.objection(to: Self.steps(names.joined(separator: "&")))?.contains("not 101") == true)
        #expect(SagaTraits.objection(to: [Self.steps("c1")[0], []])?.contains("at least one step") == true)
    }

    @Test func `the builder says why it refuses`() async {
        await #expect(processExitsWith: .failure) {
            _ = SagaDefinition<Order>("checkout", version: 1) {
                Step.pivot("pay", ifUnknown: .reexecute) { _ in }
                Step("late", ifUnknown: .park) { _ in
                } compensation: { _ in
                }
            }
        }
    }

    @Test func `the hash is of names, kinds, order and groups, and of nothing else`() throws {
        let ledger = Ledger()
        func shape(_ steps: [[(String, SagaStepKind)]], version: Int = 1) -> SagaShape {
            SagaShape(
                name: "checkout", version: version,
                stages: steps.map { $0.map { SagaStepTraits(name: $0.0, kind: $0.1) } })
        }
        let (a, b): ((String, SagaStepKind), (String, SagaStepKind)) = (("a", .compensatable), ("b", .compensatable))
        let hashes = [
            shape([[a], [b]]), shape([[b], [a]]), shape([[a, b]]), shape([[a]]), shape([[a], [("b", .reading)]]),
            shape([[a], [("bb", .compensatable)]]), shape([[("a&", .compensatable)], [b]]),
        ].map(\.hash)
        #expect(Set(hashes).count == hashes.count)
        #expect(shape([[a], [b]], version: 2).hash == hashes[0])
        // Sagas of earlier releases carry these.
        #expect(shape([[a], [b]]).description == "checkout v1 (\(String(hashes[0], radix: 16)))")
        let plain = SagaDefinition<Order>("checkout", version: 1) {
            step("a", ledger)
            step("b", ledger)
        }
        let other = SagaDefinition<Order>("checkout", version: 1, deadline: .seconds(9)) {
            step("a", ledger, ifUnknown: .park).retry(.attempts(3))
            step("b", ledger).timeLimit(perAttempt: .seconds(1))
        }
        #expect(plain.shape == other.shape && plain.shape.hash == hashes[0])
    }
}
