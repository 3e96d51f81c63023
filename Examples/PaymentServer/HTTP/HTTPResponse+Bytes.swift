// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

internal import Idempotency

extension HTTPResponseRecord {
    /// A response with a JSON body.
    static func json(_ status: Int, _ value: some Encodable, _ fields: HTTPFieldLine...) throws -> HTTPResponseRecord {
        let type = HTTPFieldLine("Content-Type", "application/json")
        return HTTPResponseRecord(status: status, fields: [type] + fields, body: try JSON.encode(value))
    }

    /// A problem of the server's own (RFC 9457), of the type `about:blank`.
    static func problem(_ status: Int, _ detail: String, _ fields: HTTPFieldLine...) -> HTTPResponseRecord {
        // The texts are this program's own, and none has a quote or a backslash.
        let title = phrases[status] ?? "Error"
        let body = "{\"type\":\"about:blank\",\"title\":\"\(title)\",\"detail\":\"\(detail)\",\"status\":\(status)}"
        let type = HTTPFieldLine("Content-Type", "application/problem+json")
        return HTTPResponseRecord(status: status, fields: [type] + fields, body: Array(body.utf8))
    }

    /// The response as it is sent.
    ///
    /// - Parameters:
    ///   - closes: Whether it is the last one of its connection.
    ///   - isHead: Whether the request was HEAD, whose response has no body.
    func message(closes: Bool, isHead: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.phrases[status] ?? "")\r\nDate: \(httpDate())\r\n"
        for line in fields { head += "\(line.name): \(line.value)\r\n" }
        head += "Content-Length: \(body.count)\r\n"
        if closes { head += "Connection: close\r\n" }
        return Array((head + "\r\n").utf8) + (isHead ? [] : body)
    }

    private static let phrases = [
        200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
        408: "Request Timeout", 409: "Conflict", 411: "Length Required", 413: "Content Too Large",
        417: "Expectation Failed", 422: "Unprocessable Content", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
        505: "HTTP Version Not Supported",
    ]
}

/// A time as HTTP writes it (RFC 9110, section 5.6.7).
func httpDate(_ seconds: time_t = time(nil)) -> String {
    var seconds = seconds
    var parts = unsafe tm()
    unsafe gmtime_r(&seconds, &parts)
    let (weekday, day, month, year) = unsafe (parts.tm_wday, parts.tm_mday, parts.tm_mon, parts.tm_year)
    let clock = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
    func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return "\(days[Int(weekday)]), \(padded(day)) \(months[Int(month)]) \(year + 1_900) "
        + clock.map(padded).joined(separator: ":") + " GMT"
}
