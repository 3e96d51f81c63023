// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

/// A message that a provider has sent: one line of its ledger.
struct SentMessage: Codable, Hashable, Sendable {
    let key: String
    let user: String
    let text: String

    /// The lines of a ledger, which may be growing; a last one without its end is left out.
    static func read(_ path: String) throws -> [SentMessage] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return try whole(data).split(separator: 0x0A).map { try JSONDecoder().decode(SentMessage.self, from: $0) }
    }

    /// The lines of a ledger that nobody else writes, without what was not written to its end: nobody was told of it.
    static func cutOff(_ path: String, _ file: FileHandle) throws -> [SentMessage] {
        try file.truncate(atOffset: UInt64(whole(FileManager.default.contents(atPath: path) ?? Data()).count))
        return try read(path)
    }

    private static func whole(_ data: Data) -> Data { data[..<(data.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0)] }
}

/// What a provider does with requests. Pure: it says what is to be written and answered.
struct ProviderLedger {
    /// What happens to some of the keys, the same ones every time: of one in so many; none if that is zero.
    struct Faults: Hashable, Sendable {
        /// It does not serve that recipient.
        var refused = 0
        /// The first request is carried out, and its answer is lost.
        var lost = 0
    }

    enum Decision: Hashable {
        /// Write it to the ledger, then answer, or, if the answer is lost, do not.
        case send(isAnswerLost: Bool)
        case alreadySent
        case refuse
    }

    private let faults: Faults
    private var keys: Set<String>

    init(_ faults: Faults, sent: [SentMessage]) {
        self.faults = faults
        keys = Set(sent.map(\.key))
    }

    /// Looks for the key first: what was sent is never refused.
    func decide(_ message: SentMessage) -> Decision {
        if keys.contains(message.key) { return .alreadySent }
        let number = Self.number(of: message.key)
        if faults.refused > 0, number % UInt64(faults.refused) == 0 { return .refuse }
        return .send(isAnswerLost: faults.lost > 0 && number / 1_000 % UInt64(faults.lost) == 0)
    }

    mutating func add(_ message: SentMessage) { keys.insert(message.key) }

    /// The hash FNV-1a (Fowler, Noll and Vo), since `Hasher` gives other values in every process.
    private static func number(of key: String) -> UInt64 {
        key.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 } >> 8
    }
}
