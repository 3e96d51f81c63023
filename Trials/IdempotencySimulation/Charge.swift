// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// What a simulated handler returns: which effect of the provider it stands for, and who said so.
struct Charge: Hashable, Sendable {
    /// Who has found out that the effect is there.
    enum Source: UInt8, Sendable { case handler, probe, person }

    /// What is to become of it.
    enum Form: UInt8, Sendable {
        case ordinary
        /// Larger than an operation keeps.
        case long
        /// No codec has a form for it.
        case unencodable
        /// Nothing was done, and nothing is to be kept.
        case nothing
    }

    static let longest = 64

    var key: Int
    var request: Int
    /// The run of the handler; the effect's if nobody ran.
    var run: Int
    var receipt: Int
    var source: Source
    var form = Form.ordinary

    /// What an operation keeps of it.
    var outcome: IdempotencyOutcome {
        let bytes = self.bytes
        return bytes.count > Self.longest ? .omitted(size: bytes.count) : .value(bytes)
    }

    private var bytes: [UInt8] {
        let numbers = [key, request, run, receipt, Int(source.rawValue), Int(form.rawValue)]
        let text = numbers.map { String($0) }.joined(separator: ".")
        // Only its size is kept of a long one, so that has to tell the runs apart.
        return Array(text.utf8) + [UInt8](repeating: 0x20, count: form == .long ? Self.longest + 8 * run : 0)
    }

    private init(bytes: [UInt8]) throws {
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ").first ?? ""
        let numbers = words.split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 6, let source = Source(rawValue: UInt8(numbers[4])),
            let form = Form(rawValue: UInt8(numbers[5]))
        else { throw Unencodable() }
        self.init(
            key: numbers[0], request: numbers[1], run: numbers[2], receipt: numbers[3], source: source, form: form)
    }

    init(key: Int, request: Int, run: Int, receipt: Int, source: Source, form: Form = .ordinary) {
        self.key = key
        self.request = request
        self.run = run
        self.receipt = receipt
        self.source = source
        self.form = form
    }

    struct Unencodable: Error {}

    static let codec = OutputCodec<Charge>(
        encode: { charge in
            if charge.form == .unencodable { throw Unencodable() }
            return charge.bytes
        }, decode: { try Charge(bytes: $0) })

    /// What an operation makes of a handler's end, where the rule would be wrong.
    static func verdict(_ result: Result<Charge, any Error>) -> IdempotencyVerdict? {
        switch result {
        case .success(let charge) where charge.form == .nothing: .release
        case .failure(let error) where error is Declined: .store
        case .success, .failure: nil
        }
    }
}

/// The provider has refused a request for good, and duplicates shall hear the same. Nothing took effect.
struct Declined: Error, Hashable {
    var key: Int
    var request: Int
    var run: Int

    var outcome: IdempotencyOutcome { .failure(bytes) }

    private var bytes: [UInt8] { Array("\(key).\(request).\(run)".utf8) }

    static let codec = ErrorCodec(
        encode: { ($0 as? Declined)?.bytes },
        decode: { bytes in
            let numbers = String(decoding: bytes, as: UTF8.self).split(separator: ".").compactMap { Int($0) }
            guard numbers.count == 3 else { throw Charge.Unencodable() }
            return Declined(key: numbers[0], request: numbers[1], run: numbers[2])
        })
}

/// The provider has refused this request, and nothing took effect.
struct Refused: NotApplied, Hashable { var run: Int }

/// No answer came; the effect may be there or not, or still to come.
struct TimedOut: Error, Hashable { var run: Int }

/// The process is gone: what its tasks still do reaches nobody.
struct ProcessGone: Error {}

/// The call that a task is part of.
enum CurrentCall { @TaskLocal static var number = 0 }
