// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A date of HTTP in any of the three forms that a recipient must understand (RFC 9110, section 5.6.7).
struct HTTPDate {
    private var year: Int64
    private let month: Int
    private let day: Int64
    /// Since the beginning of the day; the last second of a day may be a leap second.
    private let seconds: Int64

    /// Nanoseconds since the beginning of 1970 in UTC.
    var nanoseconds: Int128 { Int128(secondsSince1970) * 1_000_000_000 }

    private var secondsSince1970: Int64 { Self.days(year, month, day) * 86_400 + seconds }

    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let longDays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Reads a whole field; `nil` if it is no date.
    ///
    /// The name of the day must be one, but not the right one.
    ///
    /// - Parameter now: Nanoseconds since 1970, to tell the century of a year of two digits.
    init?(_ field: FieldText, now: Int64) {
        let date = Self.fixed(field) ?? Self.obsolete(field, now: now) ?? Self.asctime(field)
        guard let date, date.exists else { return nil }
        self = date
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    private static func fixed(_ field: FieldText) -> HTTPDate? {
        var rest = field
        guard rest.take(oneOf: days) != nil, rest.take(", "), let day = rest.take(digits: 2), rest.take(" "),
            let month = rest.take(oneOf: months), rest.take(" "), let year = rest.take(digits: 4), rest.take(" "),
            let seconds = time(&rest), rest.take(" GMT"), rest.isEmpty
        else { return nil }
        return HTTPDate(year: year, month: month + 1, day: day, seconds: seconds)
    }

    /// `Sunday, 06-Nov-94 08:49:37 GMT`
    private static func obsolete(_ field: FieldText, now: Int64) -> HTTPDate? {
        var rest = field
        guard rest.take(oneOf: longDays) != nil, rest.take(", "), let day = rest.take(digits: 2), rest.take("-"),
            let month = rest.take(oneOf: months), rest.take("-"), let year = rest.take(digits: 2), rest.take(" "),
            let seconds = time(&rest), rest.take(" GMT"), rest.isEmpty
        else { return nil }
        return HTTPDate(year: year, month: month + 1, day: day, seconds: seconds).near(now / 1_000_000_000)
    }

    /// `Sun Nov  6 08:49:37 1994`
    private static func asctime(_ field: FieldText) -> HTTPDate? {
        var rest = field
        guard rest.take(oneOf: days) != nil, rest.take(" "), let month = rest.take(oneOf: months), rest.take(" "),
            let day = rest.take(" ") ? rest.take(digits: 1) : rest.take(digits: 2), rest.take(" "),
            let seconds = time(&rest), rest.take(" "), let year = rest.take(digits: 4), rest.isEmpty
        else { return nil }
        return HTTPDate(year: year, month: month + 1, day: day, seconds: seconds)
    }

    private init(year: Int64, month: Int, day: Int64, seconds: Int64) {
        self.year = year
        self.month = month
        self.day = day
        self.seconds = seconds
    }

    private static func time(_ rest: inout FieldText) -> Int64? {
        guard let hour = rest.take(digits: 2), hour < 24, rest.take(":"),
            let minute = rest.take(digits: 2), minute < 60, rest.take(":"),
            let second = rest.take(digits: 2), second <= 60
        else { return nil }
        return hour * 3_600 + minute * 60 + second
    }

    /// Whether the month has such a day.
    private var exists: Bool {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length: Int64 = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        return (1...length).contains(day)
    }

    /// A date whose year has two digits, in the latest century in which it is not more than 50 years ahead.
    private func near(_ now: Int64) -> HTTPDate {
        var date = self
        // A year has more than 365 days, so this is not less than the present one.
        date.year += (1971 + max(0, now) / (365 * 86_400)) / 100 * 100 + 100
        while Self.days(date.year - 50, month, day) * 86_400 + seconds > now { date.year -= 100 }
        return date
    }

    /// Days from the beginning of 1970 to a day of the Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int, _ day: Int64) -> Int64 {
        // Years that begin in March have the leap day at their end.
        let year = month > 2 ? year : year - 1
        let beforeMonth = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275][month - 1] as Int64
        let leapDays = floored(year, 4) - floored(year, 100) + floored(year, 400)
        return year * 365 + leapDays + beforeMonth + day - 719_469
    }

    private static func floored(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        (dividend - (dividend % divisor + divisor) % divisor) / divisor
    }
}
