// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What an action, a probe or a compensation is given.
public struct SagaContext<Input: Codable & Sendable>: Sendable {
    /// The saga.
    public let sagaID: String
    /// What the saga was started with.
    public let input: Input
    /// The step.
    public let step: String
    /// Which way the saga goes through the step; a probe is asked about the action.
    public let direction: SagaDirection
    /// Which call this is; the first is 1. A call that our own cancellation cut short is not counted, and a probe is
    /// told the number of the call that it asks about.
    public let attempt: Int
    let outputs: [String: [UInt8]]

    /// The idempotency key for what this step does downstream: `saga/step/direction`, at most 206 bytes of printable
    /// ASCII.
    ///
    /// It is the same on every attempt, after every crash and for every coordinator. A probe asks under the key of the
    /// action. Sagas of different coordinators that share a downstream need identifiers of their own, because nothing
    /// but the saga's identifier and the step's name is in the key.
    public var key: String { key(direction) }

    /// The key under which this step's action was called: what a compensation undoes.
    public var forwardKey: String { key(.forward) }

    private func key(_ direction: SagaDirection) -> String { "\(sagaID)/\(step)/\(direction.rawValue)" }

    /// What an earlier step gave, or an event brought.
    ///
    /// - Throws: ``SagaOutputMissing`` if the step has not taken effect in this saga: it comes later, is of the same
    ///   group, was skipped, or is of another definition. A decoding error if its type has changed since.
    public func output<Output>(of step: SagaStep<Input, Output>) throws -> Output {
        guard let bytes = outputs[step.name] else { throw SagaOutputMissing(step: step.name) }
        return try step.coding.decode(bytes)
    }
}

/// Which way a saga goes through a step.
public enum SagaDirection: String, Hashable, Sendable {
    /// Its action is called.
    case forward
    /// Its compensation is called.
    case compensation
}

/// A step has no output: it has not taken effect in this saga, or was skipped.
public struct SagaOutputMissing: Error, Hashable, CustomStringConvertible {
    /// The step.
    public let step: String
    /// What happened, for people.
    public var description: String { "the step \(step) has no output" }
}

/// What an action gave is too large to be kept; the action has taken effect, so this says nothing of that.
public struct SagaOutputTooLarge: Error, Hashable, CustomStringConvertible {
    /// The step.
    public let step: String
    /// The bytes of its output as JSON.
    public let size: Int
    /// The bytes that it can have.
    public let limit: Int
    /// What happened, for people.
    public var description: String { "the output of \(step) has \(size) bytes, and \(limit) at most are kept" }
}

/// How the values of a type become bytes and come back.
struct SagaCoding<Value>: Sendable {
    let encode: @Sendable (Value) throws -> [UInt8]
    let decode: @Sendable ([UInt8]) throws -> Value
}

extension SagaCoding where Value: Codable & Sendable {
    /// JSON with sorted keys.
    static var json: SagaCoding {
        SagaCoding { value in
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(value))
        } decode: { bytes in
            try JSONDecoder().decode(Value.self, from: Data(bytes))
        }
    }
}

extension SagaCoding where Value == Void {
    /// Nothing at all.
    static var nothing: SagaCoding {
        SagaCoding { _ in
            []
        } decode: { _ in
        }
    }
}
