// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// What a check saw and should not have seen.
struct Violation: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Throws unless the condition holds; the text says what was seen instead.
func require(_ condition: Bool, _ seen: @autoclosure () -> String) throws(Violation) {
    if !condition { throw Violation(seen()) }
}

/// Throws unless both are equal; the text names the thing compared.
func require<Value: Equatable>(
    _ value: Value, is expected: Value, _ what: @autoclosure () -> String
) throws(Violation) {
    if value != expected { throw Violation("\(what()) is \(brief(value)), expected \(brief(expected))") }
}

/// Throws unless both records are equal in every field; the text lists the fields that differ.
func require(_ record: Record?, is expected: Record?, _ what: @autoclosure () -> String) throws(Violation) {
    guard record != expected else { return }
    guard let record, let expected else {
        throw Violation("\(what()) is \(record.map(brief) ?? "absent"), expected \(expected.map(brief) ?? "none")")
    }
    let differences = zip(Mirror(reflecting: record).children, Mirror(reflecting: expected).children)
        .map { ($0.label ?? "", brief($0.value), brief($1.value)) }.filter { $0.1 != $0.2 }
        .map { "\($0) \($1), expected \($2)" }
    throw Violation("\(what()), record \(record.id), differs: \(differences.joined(separator: "; "))")
}

/// Throws unless the records are the expected ones, in that order.
func require(_ records: [Record], are expected: [Record], _ what: @autoclosure () -> String) throws(Violation) {
    try require(records.map(\.id), is: expected.map(\.id), what())
    for (record, expected) in zip(records, expected) { try require(record, is: expected, what()) }
}

/// The value's description, cut to what a person reads.
private func brief(_ value: some Any) -> String {
    let text = "\(value)"
    return text.utf8.count > 300 ? "\(text.prefix(300))…" : text
}
