// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

/// What goes wrong with one request.
enum Fault: Equatable, Sendable {
    case none
    /// Says "not now" before it does anything.
    case refuse(retryAfterMilliseconds: Int)
    /// Does its work at once and answers late.
    case answerLate(milliseconds: Int)
    /// Does nothing and never answers.
    case silent
    /// Does its work and never answers.
    case silentAfterwards
    /// Does its work and closes the connection instead of answering.
    case loseReply
}

/// How often each fault happens, as shares of all requests.
struct FaultRates: Equatable, Sendable {
    var refused = 0.0
    var late = 0.0
    var silent = 0.0
    var silentAfterwards = 0.0
    var lost = 0.0

    static let none = FaultRates()

    /// A bad day: about one request in seven meets a fault.
    static let usual = FaultRates(refused: 0.05, late: 0.05, silent: 0.01, silentAfterwards: 0.01, lost: 0.03)

    /// Reads `none`, `usual`, or rates such as `refused=0.1,lost=0.05`; what is not named does not happen.
    init?(_ text: String) {
        switch text {
        case "none": self = .none
        case "usual": self = .usual
        default:
            self = .none
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                let words = part.split(separator: "=", maxSplits: 1)
                guard words.count == 2, let field = Self.fields[String(words[0])], let rate = Double(words[1]),
                    (0...1).contains(rate)
                else { return nil }
                self[keyPath: field] = rate
            }
            guard refused + late + silent + silentAfterwards + lost <= 1 else { return nil }
        }
    }

    init(
        refused: Double = 0, late: Double = 0, silent: Double = 0, silentAfterwards: Double = 0, lost: Double = 0
    ) {
        self.refused = refused
        self.late = late
        self.silent = silent
        self.silentAfterwards = silentAfterwards
        self.lost = lost
    }

    /// The rates as ``init(_:)`` reads them.
    var text: String {
        "refused=\(refused),late=\(late),silent=\(silent),silent-afterwards=\(silentAfterwards),lost=\(lost)"
    }

    private static var fields: [String: WritableKeyPath<FaultRates, Double>] {
        [
            "refused": \.refused, "late": \.late, "silent": \.silent, "silent-afterwards": \.silentAfterwards,
            "lost": \.lost,
        ]
    }
}

/// Decides what goes wrong: the same for the same seed, subject and attempt, whatever else happens meanwhile.
struct FaultPlan: Equatable, Sendable {
    let seed: UInt64
    let rates: FaultRates

    /// The fault of the request that is the given attempt, counted from one, at its subject.
    func fault(for subject: String, attempt: Int) -> Fault {
        let random = RandomSource.seeded(hash(subject, attempt))
        var draw = Double(random.draw(upTo: (1 << 53) - 1)) / Double(1 << 53)
        func falls(within rate: Double) -> Bool {
            defer { draw -= rate }
            return draw < rate
        }
        if falls(within: rates.refused) {
            return .refuse(retryAfterMilliseconds: 5 + Int(random.draw(upTo: 45)))
        }
        if falls(within: rates.late) {
            return .answerLate(milliseconds: 50 + Int(random.draw(upTo: 350)))
        }
        if falls(within: rates.silent) { return .silent }
        if falls(within: rates.silentAfterwards) { return .silentAfterwards }
        if falls(within: rates.lost) { return .loseReply }
        return .none
    }

    /// The hash FNV-1a (Fowler, Noll and Vo), since `Hasher` gives other values in every process.
    private func hash(_ subject: String, _ attempt: Int) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ seed
        for byte in "\(attempt) \(subject)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        return hash
    }
}
