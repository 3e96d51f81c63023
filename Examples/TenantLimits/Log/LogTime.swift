// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Times as access logs write them, such as `10/Oct/2000:13:55:36 -0700`, as seconds since 1970 in UTC.
enum LogTime {
    /// How many bytes such a time has.
    static let length = 26

    private static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    /// The days of the year before each month, and before the next year; in a year that has no leap day.
    private static let daysBefore = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]
    private static let secondsOfDay = 86_400

    /// The moment of a time, or `nil` if it is not written like one or there is no such time.
    ///
    /// The 60th second of a minute, which a leap second is, counts as the first of the next minute.
    static func seconds(of text: ArraySlice<UInt8>) -> Int64? {
        guard text.count == length else { return nil }
        let start = text.startIndex
        func byte(_ offset: Int) -> UInt8 { text[start + offset] }
        /// Some digits as a number, or one that no field may be.
        func number(_ offset: Int, _ digits: Int) -> Int {
            var value = 0
            for index in offset..<offset + digits {
                guard case 0x30...0x39 = byte(index) else { return .max }
                value = value * 10 + Int(byte(index) - 0x30)
            }
            return value
        }
        let marks: [(Int, StaticString)] = [(2, "/"), (6, "/"), (11, ":"), (14, ":"), (17, ":"), (20, " ")]
        for (offset, mark) in marks where byte(offset) != mark.byte(0) { return nil }
        guard
            let month = months.firstIndex(where: { name in
                (0..<3).allSatisfy { byte(3 + $0) == name.byte($0) }
            })
        else { return nil }
        let (day, year) = (number(0, 2), number(7, 4))
        let (hour, minute, second) = (number(12, 2), number(15, 2), number(18, 2))
        let (zoneHours, zoneMinutes) = (number(22, 2), number(24, 2))
        guard
            (1_970...9_999).contains(year), (1...days(ofMonth: month, year)).contains(day),
            hour < 24, minute < 60, second <= 60, zoneHours <= 14, zoneMinutes < 60
        else { return nil }
        let zone = zoneHours * 3_600 + zoneMinutes * 60
        let local = days(before: year, month, day) * secondsOfDay + hour * 3_600 + minute * 60 + second
        let utc: Int
        switch byte(21) {
        case UInt8(ascii: "+"): utc = local - zone
        case UInt8(ascii: "-"): utc = local + zone
        default: return nil
        }
        return utc >= 0 ? Int64(utc) : nil
    }

    /// A moment as a log writes it.
    ///
    /// - Parameters:
    ///   - seconds: Since 1970, at least zero.
    ///   - zone: How many hours the log's time is ahead of UTC, -14 to 14.
    static func text(_ seconds: Int64, zone: Int = 0) -> String {
        let date = Date(seconds + Int64(zone) * 3_600)
        return "\(date.day)/\(date.month)/\(date.year):\(date.clock)"
            + " \(zone < 0 ? "-" : "+")\(padded(abs(zone)))00"
    }

    /// The parts of a moment, for people.
    struct Date {
        let day: String
        let month: StaticString
        let year: Int
        /// Such as `13:55:36`.
        let clock: String

        /// - Parameter seconds: Since 1970, at least zero.
        init(_ seconds: Int64) {
            let (days, second) = Int(seconds).quotientAndRemainder(dividingBy: secondsOfDay)
            var year = 1_970 + days / 366
            while LogTime.days(before: year + 1, 0, 1) <= days { year += 1 }
            let ofYear = days - LogTime.days(before: year, 0, 1)
            var month = 11
            while LogTime.days(before: year, month, 1) > days { month -= 1 }
            let ofMonth = ofYear - (LogTime.days(before: year, month, 1) - LogTime.days(before: year, 0, 1))
            self.year = year
            self.month = months[month]
            day = padded(ofMonth + 1)
            clock = [second / 3_600, second / 60 % 60, second % 60].map(padded).joined(separator: ":")
        }
    }

    private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func days(ofMonth month: Int, _ year: Int) -> Int {
        daysBefore[month + 1] - daysBefore[month] + (month == 1 && isLeap(year) ? 1 : 0)
    }

    /// The days from 1970 to a day.
    private static func days(before year: Int, _ month: Int, _ day: Int) -> Int {
        /// The leap days of all years up to one.
        func leapDays(_ year: Int) -> Int { year / 4 - year / 100 + year / 400 }
        return (year - 1_970) * 365 + leapDays(year - 1) - leapDays(1_969)
            + daysBefore[month] + (month > 1 && isLeap(year) ? 1 : 0) + day - 1
    }
}

extension StaticString {
    /// One of its bytes; it must have as many.
    fileprivate func byte(_ index: Int) -> UInt8 { unsafe utf8Start[index] }
}
