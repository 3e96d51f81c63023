// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Why a line of the input is not an order.
enum OrderProblem: Error, Equatable, Sendable, CustomStringConvertible {
    case lineTooLong(bytes: Int, limit: Int)
    case notUTF8
    case notJSON
    case notAnObject
    case missing(field: String)
    case wrongType(field: String)
    case length(field: String, bytes: Int, allowed: ClosedRange<Int>)
    case notPrintableASCII(field: String)
    case quantity(Int, allowed: ClosedRange<Int>)
    case amountNotPositive(Int)
    case currency

    var description: String {
        switch self {
        case .lineTooLong(let bytes, let limit): "the line has \(bytes) bytes, at most \(limit) are permitted"
        case .notUTF8: "the line is not UTF-8"
        case .notJSON: "the line is not JSON"
        case .notAnObject: "the line is not a JSON object"
        case .missing(let field): "\(field) is missing"
        case .wrongType(let field): "\(field) has the wrong type"
        case .length(let field, let bytes, let allowed):
            "\(field) has \(bytes) bytes, \(allowed.lowerBound) to \(allowed.upperBound) are permitted"
        case .notPrintableASCII(let field): "\(field) has other characters than printable ASCII"
        case .quantity(let quantity, let allowed):
            "quantity is \(quantity), \(allowed.lowerBound) to \(allowed.upperBound) are permitted"
        case .amountNotPositive(let amount): "amountMinor is \(amount), it must be above zero"
        case .currency: "currency is not three capital letters"
        }
    }
}
