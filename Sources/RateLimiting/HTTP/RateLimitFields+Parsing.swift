// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

extension RateLimitFields {
    /// What the fields of a response say, in whichever form servers have used.
    ///
    /// In this order, the first that is there and well formed counts: `RateLimit` and `RateLimit-Policy` of the draft's
    /// version 10; the `RateLimit` of its version 7, a dictionary; `RateLimit-Limit`, `RateLimit-Remaining` and
    /// `RateLimit-Reset` of its versions up to 6; `X-RateLimit-Limit`, `-Remaining` and `-Reset`; and the same with
    /// `X-Rate-Limit-`. `Retry-After` is read beside them, as seconds or as a date. A field that is malformed is ignored
    /// as a whole, as the draft demands. A reset of the separate fields that can only be a date in seconds or
    /// milliseconds since 1970 is taken as one.
    ///
    /// - Parameters:
    ///   - fields: Names, in upper or lower case, and values. A field that is there several times is a list.
    ///   - secondsSince1970: The present time, to which dates are related; the machine's unless given. Dates that have
    ///     passed are zero seconds ahead.
    public init(
        parsing fields: some Sequence<(name: String, value: String)>, secondsSince1970: Int64? = nil
    ) {
        var values: [String: [String]] = [:]
        for (name, value) in fields { values[name.lowercased(), default: []].append(value) }
        let now = secondsSince1970 ?? TimeSource.wallClockNanoseconds() / 1_000_000_000

        self.init(retryAfterSeconds: values["retry-after"].flatMap { Self.retryAfter($0, now) })
        policies = values["ratelimit-policy"].flatMap { Self.policies($0) ?? Self.unnamedPolicies($0) } ?? []
        if let limits = values["ratelimit"].flatMap(Self.limits) {
            self.limits = limits
        } else if let members = values["ratelimit"].flatMap(StructuredListParser.members), readLimit(members) {
            return
        } else {
            for prefix in ["ratelimit-", "x-ratelimit-", "x-rate-limit-"] {
                if readSeparateFields(values, prefix: prefix, now) { return }
            }
        }
    }

    private static func policies(_ values: [String]) -> [Policy]? {
        guard let items = StructuredListParser.items(values) else { return nil }
        var policies: [Policy] = []
        for item in items {
            guard case .string(let name) = item.value, case .integer(let quota)? = item.parameters["q"], quota >= 0
            else { return nil }
            var policy = Policy(name, quota: quota)
            switch item.parameters["w"] {
            case nil: break
            case .integer(let window) where window > 0: policy.windowSeconds = window
            default: return nil
            }
            switch item.parameters["qu"] {
            case nil: break
            case .string(let unit): policy.unit = unit
            default: return nil
            }
            switch item.parameters["pk"] {
            case nil: break
            case .bytes(let key): policy.partitionKey = key
            default: return nil
            }
            policies.append(policy)
        }
        return policies
    }

    private static func limits(_ values: [String]) -> [Limit]? {
        guard let items = StructuredListParser.items(values), !items.isEmpty else { return nil }
        var limits: [Limit] = []
        for item in items {
            guard case .string(let name) = item.value, case .integer(let remaining)? = item.parameters["r"],
                remaining >= 0
            else { return nil }
            var limit = Limit(name, remaining: remaining)
            switch item.parameters["t"] {
            case nil: break
            case .integer(let reset) where reset >= 0: limit.resetSeconds = reset
            default: return nil
            }
            switch item.parameters["pk"] {
            case nil: break
            case .bytes(let key): limit.partitionKey = key
            default: return nil
            }
            limits.append(limit)
        }
        return limits
    }

    /// The quotas of the versions up to 6, which have a number where later ones have a name.
    private static func unnamedPolicies(_ values: [String]) -> [Policy]? {
        guard let items = StructuredListParser.items(values) else { return nil }
        var policies: [Policy] = []
        for item in items {
            guard case .integer(let quota) = item.value, quota >= 0 else { return nil }
            var policy = Policy("default", quota: quota)
            if case .integer(let window)? = item.parameters["w"], window > 0 { policy.windowSeconds = window }
            policies.append(policy)
        }
        return policies
    }

    /// Reads a limit that is told in one dictionary; `false` if what remains is not in it, or anything is malformed.
    private mutating func readLimit(_ members: [String: StructuredItem]) -> Bool {
        guard case .integer(let remaining)? = members["remaining"]?.value, remaining >= 0 else { return false }
        var limit = Limit("default", remaining: remaining)
        switch members["reset"]?.value {
        case nil: break
        case .integer(let reset) where reset >= 0: limit.resetSeconds = reset
        default: return false
        }
        limits = [limit]
        if policies.isEmpty, case .integer(let quota)? = members["limit"]?.value, quota >= 0 {
            policies = [Policy("default", quota: quota)]
        }
        return true
    }

    /// Reads a limit that is told in three fields; `false` if what remains is not among them.
    private mutating func readSeparateFields(_ values: [String: [String]], prefix: String, _ now: Int64) -> Bool {
        guard let remaining = values[prefix + "remaining"]?.first.flatMap(Self.count) else { return false }
        let reset = values[prefix + "reset"]?.first.flatMap(Self.count)
        limits = [Limit("default", remaining: remaining, resetSeconds: reset.map { Self.delay($0, now) })]
        // The limit may be followed by the quotas that it is made of.
        guard let quota = values[prefix + "limit"]?.first, policies.isEmpty else { return true }
        let parts = quota.split(separator: ",")
        let windowed = parts.dropFirst().compactMap { Self.unnamedPolicies([String($0)])?.first }
        policies =
            windowed.isEmpty
            ? parts.first.flatMap { Self.count(String($0)) }.map { [Policy("default", quota: $0)] } ?? []
            : windowed
        return true
    }

    /// A number that is a value, or that other numbers and parameters follow, rounded up to a whole one.
    private static func count(_ text: String) -> Int? {
        let value = text.drop { $0 == " " || $0 == "\t" }
        let number = value.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        // What has another unit, as in 6m0s, is no number of seconds.
        if let next = value[number.endIndex...].first(where: { $0 != " " && $0 != "\t" }), next != ",", next != ";" {
            return nil
        }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = Int(parts[0]), whole < Int.max else { return nil }
        return parts.count == 2 && parts[1].contains { $0 != "0" } ? whole + 1 : whole
    }

    /// A reset as a delay: no limit lasts for thirty years, so a number that large is a date.
    private static func delay(_ reset: Int, _ now: Int64) -> Int {
        let thirtyYears = 1_000_000_000
        guard reset >= thirtyYears else { return reset }
        let seconds = reset >= thirtyYears * 1_000 ? (reset - 1) / 1_000 + 1 : reset
        return max(0, Int(clamping: Int64(clamping: seconds).subtractingSaturating(now)))
    }

    private static func retryAfter(_ values: [String], _ now: Int64) -> Int? {
        guard values.count == 1, let words = values.first?.split(whereSeparator: { " \t".contains($0) }),
            let word = words.first
        else { return nil }
        if words.count == 1, word.allSatisfy({ $0.isASCII && $0.isNumber }) {
            // More seconds than a number holds are more than anybody waits.
            return Int(word) ?? .max
        }
        return HTTPDate.seconds(values[0], now: now).map { max(0, Int(clamping: $0.subtractingSaturating(now))) }
    }
}
