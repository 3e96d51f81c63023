// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension SagaPosition {
    func write(to writer: inout ByteWriter) {
        switch course {
        case .forward:
            writer.write(UInt8(1))
        case .backward(let cause):
            writer.write(UInt8(2))
            cause.write(to: &writer)
        case .completed:
            writer.write(UInt8(3))
        case .compensated(let cause):
            writer.write(UInt8(4))
            cause.write(to: &writer)
        }
        writer.write(variable: UInt64(stage))
        writer.write(variable: UInt64(branches.count))
        for named in branches {
            writer.write(named.name)
            named.branch.write(to: &writer)
        }
        writer.write(turningBack) { $1.write(to: &$0) }
        writer.write(variable: UInt64(received.count))
        for event in received.sorted() { writer.write(event) }
    }

    init(from reader: inout ByteReader) throws(MalformedBytes) {
        course =
            switch try reader.readUInt8() {
            case 1: .forward
            case 2: .backward(try SagaFailure(from: &reader))
            case 3: .completed
            case 4: .compensated(try SagaFailure(from: &reader))
            default: throw MalformedBytes(offset: 0)
            }
        stage = try reader.readSmallNumber()
        branches = []
        for _ in 0..<(try reader.readCount()) {
            branches.append(Named(name: try reader.readString(), branch: try SagaBranch(from: &reader)))
        }
        turningBack = try reader.readOptional { reader throws(MalformedBytes) in try SagaFailure(from: &reader) }
        received = []
        for _ in 0..<(try reader.readCount()) { received.insert(try reader.readString()) }
    }
}

extension SagaBranch {
    fileprivate func write(to writer: inout ByteWriter) {
        switch activity {
        case .idle: writer.write(UInt8(1))
        case .calling: writer.write(UInt8(2))
        case .interrupted: writer.write(UInt8(3))
        case .doubtful: writer.write(UInt8(4))
        case .asking: writer.write(UInt8(5))
        case .waiting(let until):
            writer.write(UInt8(6))
            writer.write(until.nanosecondsSince1970)
        case .listening: writer.write(UInt8(7))
        case .askingAgain(let until):
            writer.write(UInt8(8))
            writer.write(until.nanosecondsSince1970)
        case .parked(let reason):
            writer.write(UInt8(9))
            writer.write(reason.rawValue)
        case .done: writer.write(UInt8(10))
        case .failed: writer.write(UInt8(11))
        case .notApplied: writer.write(UInt8(12))
        }
        writer.write(variable: UInt64(attempts))
        writer.write(variable: UInt64(crashes))
        writer.write(variable: UInt64(probes))
        writer.write(UInt8((mayHaveEffect ? 1 : 0) | (hasFailed ? 2 : 0)))
        writer.write(since) { $0.write($1.nanosecondsSince1970) }
        for failure in [firstFailure, lastFailure, askFailure] { writer.write(failure) { $1.write(to: &$0) } }
    }

    fileprivate init(from reader: inout ByteReader) throws(MalformedBytes) {
        func timestamp(_ reader: inout ByteReader) throws(MalformedBytes) -> Timestamp {
            Timestamp(nanosecondsSince1970: try reader.readInt64())
        }
        func failure(_ reader: inout ByteReader) throws(MalformedBytes) -> SagaFailure? {
            try reader.readOptional { reader throws(MalformedBytes) in try SagaFailure(from: &reader) }
        }
        switch try reader.readUInt8() {
        case 1: activity = .idle
        case 2: activity = .calling
        case 3: activity = .interrupted
        case 4: activity = .doubtful
        case 5: activity = .asking
        case 6: activity = .waiting(until: try timestamp(&reader))
        case 7: activity = .listening
        case 8: activity = .askingAgain(at: try timestamp(&reader))
        case 9:
            guard let reason = SagaStuck.Reason(rawValue: try reader.readUInt8()) else {
                throw MalformedBytes(offset: 0)
            }
            activity = .parked(reason)
        case 10: activity = .done
        case 11: activity = .failed
        case 12: activity = .notApplied
        default: throw MalformedBytes(offset: 0)
        }
        attempts = try reader.readSmallNumber()
        crashes = try reader.readSmallNumber()
        probes = try reader.readSmallNumber()
        let flags = try reader.readUInt8()
        guard flags < 4 else { throw MalformedBytes(offset: 0) }
        mayHaveEffect = flags & 1 != 0
        hasFailed = flags & 2 != 0
        since = try reader.readOptional(timestamp)
        firstFailure = try failure(&reader)
        lastFailure = try failure(&reader)
        askFailure = try failure(&reader)
    }
}

extension SagaEntry {
    /// The version of this layout.
    private static let version: UInt8 = 2

    var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.version)
        writer.write(kind.rawValue)
        writer.write(step) { $0.write($1) }
        writer.write(variable: UInt64(attempts))
        writer.write(failure) { $1.write(to: &$0) }
        writer.write(reason) { $0.write($1) }
        writer.write(output)
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == Self.version else { throw MalformedBytes(offset: 0) }
        guard let kind = Kind(rawValue: try reader.readUInt8()) else { throw MalformedBytes(offset: 0) }
        let step = try reader.readOptional { reader throws(MalformedBytes) in try reader.readString() }
        let attempts = try reader.readSmallNumber()
        let failure = try reader.readOptional { reader throws(MalformedBytes) in try SagaFailure(from: &reader) }
        let reason = try reader.readOptional { reader throws(MalformedBytes) in try reader.readString() }
        self.init(
            kind: kind, step: step, attempts: attempts, failure: failure, reason: reason,
            output: try reader.readBytes())
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

extension ByteReader {
    /// A number that still fits if it is counted up for a while.
    mutating func readSmallNumber() throws(MalformedBytes) -> Int {
        guard let number = UInt32(exactly: try readVariable()) else { throw MalformedBytes(offset: 0) }
        return Int(number)
    }
}
