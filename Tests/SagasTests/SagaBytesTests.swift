// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import Testing

@testable import Sagas

@Suite struct `The bytes of a saga` {
    private static let time = Timestamp(nanosecondsSince1970: 1_700_000_000_123_456_789)
    private static let failure = SagaFailure(step: "a", errorType: "Déclined", message: "no 🛫")

    private static let activities: [SagaBranch.Activity] =
        [
            .idle, .calling, .interrupted, .doubtful, .asking, .waiting(until: time), .listening,
            .askingAgain(at: time), .done, .failed, .notApplied,
        ] + SagaStuck.Reason.allCases.map { .parked($0) }

    private static let courses: [SagaState.Course] = [
        .forward, .backward(failure), .completed, .compensated(failure),
    ]

    /// A header for each activity, with every course, and every field that may be absent given or not.
    static let headers: [SagaHeader] = activities.indices.flatMap { index in
        courses.indices.map { course in
            let isFull = (index + course) % 2 == 0
            let branch = SagaBranch(
                activity: activities[index], attempts: index * 1_000, crashes: 3, probes: course, mayHaveEffect: isFull,
                since: isFull ? time : nil, hasFailed: course % 2 == 0, firstFailure: isFull ? failure : nil,
                lastFailure: failure, askFailure: isFull ? nil : failure)
            let position = SagaPosition(
                course: courses[course], stage: index,
                branches: course == 2
                    ? [] : [.init(name: "a", branch: branch), .init(name: "b", branch: SagaBranch())],
                turningBack: isFull ? failure : nil, received: isFull ? ["x", "y", "z"] : [])
            return SagaHeader(
                shape: SagaShape(name: "trip", version: 7, hash: .max), input: Array("{}".utf8), entries: index,
                deadline: isFull ? .seconds(90) : nil, position: position)
        }
    }

    static let entries = SagaEntry.Kind.allCases.flatMap { kind in
        [
            SagaEntry(kind: kind),
            SagaEntry(kind: kind, step: "a", attempts: 3, failure: failure, reason: "because", output: [1, 2, 3]),
        ]
    }

    static let mailboxes = [
        SagaMailbox.empty,
        SagaMailbox(messages: [
            .event("x", payload: [1, 2]), .event("y", payload: []), .retry(reason: "r"), .skip(step: "a", reason: ""),
            .abort(reason: "é"),
        ]),
    ]

    /// What is written is read as it was; less of it, more, or another version is refused, and no damage is a crash.
    private func check<Value: Hashable>(
        _ value: Value, _ bytes: [UInt8], decode: ([UInt8]) throws(MalformedBytes) -> Value
    ) throws {
        #expect(try decode(bytes) == value)
        for count in bytes.indices {
            #expect(throws: MalformedBytes.self) { try decode(Array(bytes[..<count])) }
        }
        #expect(throws: MalformedBytes.self) { try decode(bytes + [0]) }
        for version in [0, bytes[0] - 1, bytes[0] + 1, 255] {
            #expect(throws: MalformedBytes.self) { try decode([version] + bytes.dropFirst()) }
        }
        for index in bytes.indices {
            for value in [0, 1, 0x7F, 0x80, 0xFF, bytes[index] ^ 1] {
                var damaged = bytes
                damaged[index] = value
                _ = try? decode(damaged)
            }
        }
    }

    @Test func `headers`() throws {
        for header in Self.headers {
            try check(header, header.encoded) { bytes throws(MalformedBytes) in try SagaHeader(decoding: bytes) }
        }
    }

    @Test func `entries of the history`() throws {
        for entry in Self.entries {
            try check(entry, entry.encoded) { bytes throws(MalformedBytes) in try SagaEntry(decoding: bytes) }
        }
    }

    @Test func `mailboxes`() throws {
        for mailbox in Self.mailboxes {
            try check(mailbox, mailbox.content().body) { bytes throws(MalformedBytes) in
                try SagaMailbox(decoding: bytes)
            }
        }
    }

    @Test(
        arguments: [
            // A course, an activity, a reason and flags.
            [5], [1, 0, 1, 1, 0x61, 13], [1, 0, 1, 1, 0x61, 9, 6], [1, 0, 1, 1, 0x61, 10, 0, 0, 0, 4],
        ] as [[UInt8]])
    func `what no version writes is refused`(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        let refusal = #expect(throws: MalformedBytes.self) { try SagaPosition(from: &reader) }
        // It is refused for what it says, and not because it is short.
        #expect(refusal?.offset == 0)
        #expect(throws: MalformedBytes.self) { try SagaEntry(decoding: [2, 11, 0, 0, 0, 0, 0]) }
        #expect(throws: MalformedBytes.self) { try SagaMailbox(decoding: [1, 1, 5, 0]) }
    }

    /// A state is found again where its position says, and nowhere else.
    @Test func `a position that the definition does not have is refused`() {
        let traits = SagaTraits(stages: StateBench.stages("a b|c"))
        var state = SagaState(traits)
        #expect(SagaState(traits, at: state.position) == state)
        var position = state.position
        position.stage = 1
        #expect(SagaState(traits, at: position) == nil)
        position.stage = 2
        #expect(SagaState(traits, at: position) == nil)
        position = state.position
        position.branches = []
        #expect(SagaState(traits, at: position) == nil)
        state.course = .completed
        state.branches = []
        #expect(SagaState(traits, at: state.position) == state)
    }
}
