// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaState.Phase {
    /// The version of this layout.
    static let version: UInt8 = 1

    func write(to writer: inout ByteWriter) {
        writer.write(Self.version)
        switch self {
        case .running(let step, let attempts, let trace):
            writer.write(UInt8(1))
            writer.write(step: step, attempts: attempts)
            writer.write(trace.rawValue)
        case .probing(let step, let attempts, let failure, let probes):
            writer.write(UInt8(2))
            writer.write(step: step, attempts: attempts)
            writer.write(failure) { $1.write(to: &$0) }
            writer.write(variable: UInt64(probes))
        case .compensating(let step, let attempts, let failure):
            writer.write(UInt8(3))
            writer.write(step: step, attempts: attempts)
            failure.write(to: &writer)
        case .completed:
            writer.write(UInt8(4))
        case .compensated(let failure):
            writer.write(UInt8(5))
            failure.write(to: &writer)
        case .stuck(let step, let attempts, let stuck):
            writer.write(UInt8(6))
            writer.write(step: step, attempts: attempts)
            writer.write(stuck.reason.code)
            writer.write(stuck.step)
            writer.write(stuck.failure) { $1.write(to: &$0) }
            writer.write(stuck.lastError) { $1.write(to: &$0) }
        }
    }

    /// Reads the phase of a saga that has `steps` steps.
    init(from reader: inout ByteReader, steps: Int) throws(MalformedBytes) {
        guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
        switch try reader.readUInt8() {
        case 1:
            let (step, attempts) = try reader.readStep(of: steps)
            guard let trace = SagaState.Trace(rawValue: try reader.readUInt8()) else { throw MalformedBytes(offset: 0) }
            self = .running(step: step, attempts: attempts, trace)
        case 2:
            let (step, attempts) = try reader.readStep(of: steps)
            let failure = try reader.readOptional { reader throws(MalformedBytes) in try SagaFailure(from: &reader) }
            self = .probing(step: step, attempts: attempts, failure: failure, probes: try reader.readSmallNumber())
        case 3:
            let (step, attempts) = try reader.readStep(of: steps)
            self = .compensating(step: step, attempts: attempts, try SagaFailure(from: &reader))
        case 4:
            self = .completed
        case 5:
            self = .compensated(try SagaFailure(from: &reader))
        case 6:
            let (step, attempts) = try reader.readStep(of: steps)
            guard let reason = SagaStuck.Reason(code: try reader.readUInt8()) else { throw MalformedBytes(offset: 0) }
            let name = try reader.readString()
            let failure = try reader.readOptional { reader throws(MalformedBytes) in try SagaFailure(from: &reader) }
            let lastError = try reader.readOptional { reader throws(MalformedBytes) in try SagaFailure(from: &reader) }
            self = .stuck(
                step: step, attempts: attempts,
                SagaStuck(reason: reason, step: name, failure: failure, lastError: lastError))
        default:
            throw MalformedBytes(offset: 0)
        }
    }
}

extension SagaStepOutcome {
    /// The version of this layout.
    static let version: UInt8 = 1

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.version)
        writer.write(step)
        writer.write(result.rawValue)
        writer.write(variable: UInt64(attempts))
        writer.write(failure) { $1.write(to: &$0) }
        return writer.bytes
    }

    init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
        step = try reader.readString()
        guard let result = Result(rawValue: try reader.readUInt8()) else { throw MalformedBytes(offset: 0) }
        self.result = result
        attempts = try reader.readSmallNumber()
        failure = try reader.readOptional { reader throws(MalformedBytes) in try SagaFailure(from: &reader) }
        try reader.finish()
    }
}

extension SagaFailure {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(step)
        writer.write(errorType)
        writer.write(message)
    }

    fileprivate init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            step: try reader.readString(), errorType: try reader.readString(), message: try reader.readString())
    }
}

extension SagaStuck.Reason {
    fileprivate var code: UInt8 {
        switch self {
        case .outcomeUnknown: 1
        case .probeFailed: 2
        case .compensationFailed: 3
        }
    }

    fileprivate init?(code: UInt8) {
        switch code {
        case 1: self = .outcomeUnknown
        case 2: self = .probeFailed
        case 3: self = .compensationFailed
        default: return nil
        }
    }
}

extension ByteWriter {
    fileprivate mutating func write(step: Int, attempts: Int) {
        write(variable: UInt64(step))
        write(variable: UInt64(attempts))
    }
}

extension ByteReader {
    fileprivate mutating func readStep(of steps: Int) throws(MalformedBytes) -> (step: Int, attempts: Int) {
        let (step, attempts) = (try readSmallNumber(), try readSmallNumber())
        guard step < steps else { throw MalformedBytes(offset: 0) }
        return (step, attempts)
    }

    /// A number that still fits if it is counted up for a while.
    fileprivate mutating func readSmallNumber() throws(MalformedBytes) -> Int {
        guard let number = UInt32(exactly: try readVariable()) else { throw MalformedBytes(offset: 0) }
        return Int(number)
    }
}
