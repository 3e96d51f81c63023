// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A line that is no letter: which part of it cannot be read. Nothing was stored.
public struct MalformedDeadLetterLine: Error, Hashable, CustomStringConvertible {
    /// What is wrong, for people.
    public let description: String
}

/// A letter as a line of JSON, for files that people and other programs read.
///
/// The fields are those of ``DeadLetter``. Bytes are Base64; times are seconds since 1970 with nine decimals, as text, so
/// that no reader rounds them.
struct DeadLetterLine: Codable {
    struct Reason: Codable {
        var code: String
        var note: String?
    }
    struct Origin: Codable {
        var source: String
        var id: String
        var position: UInt64?
        var orderKey: String?
    }
    struct Failures: Codable {
        var count: Int
        var kept: [Failure]
    }
    struct Failure: Codable {
        var time: String
        var errorType: String
        var message: String
    }

    var version: Int
    var id: String
    var reason: Reason
    var origin: Origin
    var payload: Data
    var headers: [String: String]
    var failures: Failures
    var enqueuedAt: String?
    var deadLetteredAt: String
    var redriveCount: Int

    static let version = 1
}

extension DeadLetter {
    /// The letter as one line of JSON, without the line's end.
    public func jsonLine() throws -> String {
        let line = DeadLetterLine(
            version: DeadLetterLine.version, id: id, reason: .init(code: reason.code, note: reason.note),
            origin: .init(
                source: origin.source, id: origin.id, position: origin.position, orderKey: origin.orderKey),
            payload: Data(payload), headers: headers,
            failures: .init(
                count: failures.count,
                kept: failures.kept.map {
                    .init(time: $0.time.description, errorType: $0.errorType, message: $0.message)
                }),
            enqueuedAt: enqueuedAt?.description, deadLetteredAt: deadLetteredAt.description, redriveCount: redriveCount)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(line), as: UTF8.self)
    }
}

extension DeadLetterQueue {
    /// Gives every letter that a filter lets through as a line of JSON, oldest first; says how many there were.
    ///
    /// Letters that cannot be read are left out.
    ///
    /// - Parameters:
    ///   - filter: Which letters are wanted; by default all.
    ///   - receive: Takes a line, without its end. What it throws ends the export and comes out of it.
    @discardableResult
    public func exportLines(
        _ filter: DeadLetterFilter = .all, to receive: (String) async throws -> Void
    ) async throws -> Int {
        var count = 0
        var position: UInt64?
        repeat {
            let page = try await list(filter, after: position, limit: 100)
            for letter in page.letters {
                try await receive(letter.jsonLine())
                count += 1
            }
            position = page.next
        } while position != nil
        return count
    }
}

extension RecordDeadLetterQueue {
    /// Puts the letter of a line that ``DeadLetterQueue/exportLines(_:to:)`` gave, with its times and its counts; its
    /// position is a new one, and the old one stays in its origin. An order key that was parked is none by an import: let
    /// the lines of such a key come in their order, and they go back in it.
    ///
    /// - Throws: ``MalformedDeadLetterLine``; else as ``put(_:)``.
    @discardableResult
    public func importLine(_ text: String) async throws -> DeadLetterPut {
        let line: DeadLetterLine
        do {
            line = try JSONDecoder().decode(DeadLetterLine.self, from: Data(text.utf8))
        } catch {
            throw MalformedDeadLetterLine(description: "\(error)".prefix(bytes: 500))
        }
        guard line.version == DeadLetterLine.version else {
            throw MalformedDeadLetterLine(
                description: "version \(line.version), and \(DeadLetterLine.version) is known")
        }
        let letter = NewDeadLetter(
            id: line.id, reason: try line.reason.checked(),
            origin: DeadLetterOrigin(
                source: line.origin.source, id: line.origin.id, position: line.origin.position,
                orderKey: line.origin.orderKey),
            payload: [UInt8](line.payload), headers: line.headers, failures: try line.failures.checked(),
            enqueuedAt: try line.enqueuedAt.map(time))
        guard let redrives = UInt32(exactly: line.redriveCount) else {
            throw MalformedDeadLetterLine(description: "redriveCount is \(line.redriveCount)")
        }
        let arrival = DeadLetterBody.Arrival(
            time: try time(line.deadLetteredAt), claims: 0, redrives: Int(redrives), deliveries: 0)
        return try await put(letter, DeadLetterBody(letter, arrival: arrival))
    }
}

extension DeadLetterLine.Reason {
    fileprivate func checked() throws(MalformedDeadLetterLine) -> DeadLetterReason {
        guard RecordLimits.state.contains(code.utf8.count), code.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw MalformedDeadLetterLine(description: "the reason's code is no 1 to 32 bytes of printable ASCII")
        }
        return DeadLetterReason(uncheckedCode: code, note: note)
    }
}

extension DeadLetterLine.Failures {
    fileprivate func checked() throws(MalformedDeadLetterLine) -> FailureHistory {
        let failures = try kept.map { failure throws(MalformedDeadLetterLine) in
            DeadLetterFailure(
                errorType: failure.errorType, message: failure.message, time: try time(failure.time))
        }
        guard UInt32(exactly: count) != nil, let history = FailureHistory(count: count, kept: failures) else {
            throw MalformedDeadLetterLine(description: "\(kept.count) of \(count) failures are kept")
        }
        return history
    }
}

/// Seconds with nine decimals, as a timestamp shows itself.
private func time(_ text: String) throws(MalformedDeadLetterLine) -> Timestamp {
    let malformed = MalformedDeadLetterLine(description: "no time: \(text.prefix(bytes: 40))")
    let isNegative = text.hasPrefix("-")
    let parts = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, parts[1].utf8.count == 9,
        parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }),
        let nanoseconds = Int64((isNegative ? "-" : "") + parts[0] + parts[1])
    else { throw malformed }
    return Timestamp(nanosecondsSince1970: nanoseconds)
}
