// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The dates of HTTP (RFC 9110, section 5.6.7): the preferred form and the two obsolete ones.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970 in UTC; `nil` if the text is no date. A year of two digits is the one that is at most 50 years
    /// after `now`.
    static func seconds(_ text: String, now: Int64) -> Int64? {
        let parts = text.split(whereSeparator: { " ,-".contains($0) }).map { String($0) }
        switch parts.count {
        // Sun, 06 Nov 1994 08:49:37 GMT, or Sunday, 06-Nov-94 08:49:37 GMT
        case 6 where parts[5] == "GMT":
            return seconds(year: parts[3], month: parts[2], day: parts[1], time: parts[4], now: now)
        // Sun Nov  6 08:49:37 1994
        case 5:
            return seconds(year: parts[4], month: parts[1], day: parts[2], time: parts[3], now: now)
        default:
            return nil
        }
    }

    private static func seconds(year: String, month: String, day: String, time: String, now: Int64) -> Int64? {
        let hasCentury = year.utf8.count > 2
        guard let month = months.firstIndex(of: month), let day = number(day, 1...31),
            let year = number(year, 0...9_999)
        else { return nil }
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { number(String($0), 0...60) }
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2], hour < 24,
            minute < 60
        else { return nil }
        func moment(_ year: Int64) -> Int64 {
            days(year, Int64(month + 1), day) * 86_400 + hour * 3_600 + minute * 60 + second
        }
        guard !hasCentury else { return moment(year) }
        // What no date has is not now either.
        let now = min(max(now, moment(0)), moment(9_999))
        let century = (now / 86_400 / 365 + 1_970) / 100 * 100
        let candidates = [century - 100, century, century + 100].map { moment($0 + year) }
        return candidates.last { $0 <= now + 50 * 365 * 86_400 } ?? candidates[0]
    }

    private static func number(_ text: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int64(text), range.contains(value)
        else { return nil }
        return value
    }

    /// Days since 1970 of a date of the Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // Years that begin in March, so that the day of a leap year comes last.
        let marchYear = month > 2 ? year : year - 1
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
