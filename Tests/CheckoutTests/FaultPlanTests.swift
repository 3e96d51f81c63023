// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import checkout

@Suite struct FaultPlanTests {
    @Test func `the fault of a request depends on seed, subject and attempt alone`() {
        let rates = FaultRates(refused: 0.1, late: 0.2, silent: 0.05, silentAfterwards: 0.05, lost: 0.1)
        let plan = FaultPlan(seed: 3, rates: rates)
        let other = FaultPlan(seed: 4, rates: rates)
        var counts: [String: Int] = [:]
        var (changedBySeed, changedByAttempt) = (0, 0)
        for number in 0..<20_000 {
            let subject = "charge order-\(number)"
            let fault = plan.fault(for: subject, attempt: 1)
            #expect(fault == FaultPlan(seed: 3, rates: rates).fault(for: subject, attempt: 1))
            if fault != other.fault(for: subject, attempt: 1) { changedBySeed += 1 }
            if fault != plan.fault(for: subject, attempt: 2) { changedByAttempt += 1 }
            switch fault {
            case .none: counts["none", default: 0] += 1
            case .refuse(let milliseconds):
                counts["refused", default: 0] += 1
                #expect((5...50).contains(milliseconds))
            case .answerLate(let milliseconds):
                counts["late", default: 0] += 1
                #expect((50...400).contains(milliseconds))
            case .silent: counts["silent", default: 0] += 1
            case .silentAfterwards: counts["silentAfterwards", default: 0] += 1
            case .loseReply: counts["lost", default: 0] += 1
            }
        }
        let expected = [
            "none": 0.5, "refused": 0.1, "late": 0.2, "silent": 0.05, "silentAfterwards": 0.05, "lost": 0.1,
        ]
        for (fault, rate) in expected {
            #expect(abs(Double(counts[fault] ?? 0) / 20_000 - rate) < 0.01, "\(fault)")
        }
        #expect(changedBySeed > 10_000 && changedByAttempt > 10_000)
    }

    @Test(
        arguments: [
            ("none", FaultRates.none), ("usual", .usual), ("lost=1", FaultRates(lost: 1)),
            (
                "refused=0.5,silent-afterwards=0.25,late=0.25",
                FaultRates(refused: 0.5, late: 0.25, silentAfterwards: 0.25)
            ),
            ("", nil), ("lost", nil), ("lost=", nil), ("lost=1.1", nil), ("lost=-0.1", nil), ("lost=nan", nil),
            ("gone=0.1", nil), ("lost=0.1,", nil), ("lost=0.6,late=0.6", nil),
        ] as [(String, FaultRates?)])
    func `rates are read as they are written`(text: String, rates: FaultRates?) {
        #expect(FaultRates(text) == rates)
        if let rates { #expect(FaultRates(rates.text) == rates) }
    }
}
