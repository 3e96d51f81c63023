// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// Reads what the other side says about when to try again.
///
/// Give the result to an error that conforms to `RetryAdvising`, and every retry of this package follows it:
///
/// ```swift
/// struct Unavailable: RetryAdvising {
///     var retryAfter: Duration?
/// }
///
/// if response.status == 429 || response.status == 503 {
///     let advice = RetryAdvice.httpRetryAfter(response.headers["Retry-After"], date: response.headers["Date"])
///     throw Unavailable(retryAfter: advice)
/// }
/// ```
///
/// The values come from outside, so nothing in them can do harm: what is no advice is `nil` or said to be none, a moment
/// that has passed is zero, and what is too long to count is `Int64.max` nanoseconds, 292 years, which every
/// `maximumRetryAfter` refuses. White space around a value is ignored.
public enum RetryAdvice {
    /// Reads the field `Retry-After` of HTTP (RFC 9110, section 10.2.3).
    ///
    /// | Value | Wait |
    /// | --- | --- |
    /// | `120` | 120 s |
    /// | `Fri, 31 Dec 1999 23:59:59 GMT` | until then, zero if that has passed |
    /// | `Friday, 31-Dec-99 23:59:59 GMT`, `Fri Dec 31 23:59:59 1999` | the same, in the two obsolete forms |
    /// | `-1`, `1.5`, `soon`, an empty value | `nil` |
    ///
    /// - Parameters:
    ///   - value: The value of the field; `nil` if there is none.
    ///   - date: The value of the response's field `Date`. A wait until a date is then the difference of two readings
    ///     of the other side's clock, so it is right although ours may be wrong. Without it, or if it is no date, our
    ///     clock counts.
    ///   - now: Our clock, as the time since the beginning of 1970 in UTC; by default the system's wall clock.
    /// - Returns: how long to wait from now on; `nil` if the field does not say.
    public static func httpRetryAfter(
        _ value: String?, date: String? = nil, now: Duration? = nil
    ) -> Duration? {
        guard let value else { return nil }
        let field = FieldText(value)
        if let seconds = field.wholeNumber { return .nanoseconds(seconds.multipliedSaturating(by: 1_000_000_000)) }
        let ours = now?.nanosecondsRoundedDown ?? TimeSource.wallClockNanoseconds()
        guard let end = HTTPDate(field, now: ours) else { return nil }
        let start = date.flatMap { HTTPDate(FieldText($0), now: ours)?.nanoseconds } ?? Int128(ours)
        return .nanoseconds(Int64(clamping: max(0, end.nanoseconds - start)))
    }

    /// Reads the metadata `grpc-retry-pushback-ms` of gRPC (proposal A6, "Pushback").
    ///
    /// | Value | Verdict |
    /// | --- | --- |
    /// | no such metadata | ``RetryVerdict/retry`` |
    /// | `500` | ``RetryVerdict/retryAfter(_:)`` 500 ms |
    /// | `-1`, `soon`, an empty value | ``RetryVerdict/pushedBack``: the server asks not to be tried again |
    ///
    /// A ``Retry`` takes the time as the least that it waits, with its jitter on top, and its back-off goes on growing;
    /// A6 waits for exactly that time and begins the back-off anew. As in A6, a push-back that asks not to come back takes a
    /// token of ``RetryBudget/tokens(name:maxTokens:tokenRatio:onEvent:)``.
    ///
    /// - Parameter value: The value of the metadata; `nil` if there is none.
    /// - Returns: the verdict for a `classify` closure.
    public static func grpcPushback(_ value: String?) -> RetryVerdict {
        guard let value else { return .retry }
        guard let milliseconds = FieldText(value).wholeNumber else { return .pushedBack }
        return .retryAfter(.nanoseconds(milliseconds.multipliedSaturating(by: 1_000_000)))
    }

    /// Reads the field `x-amz-retry-after` of AWS services: whole milliseconds.
    ///
    /// A ``Retry`` never comes earlier than that. The SDKs of AWS cut the time to 5 s above their own delay.
    ///
    /// - Parameter value: The value of the field; `nil` if there is none.
    /// - Returns: how long to wait from now on; `nil` if the field does not say, or not as a whole number.
    public static func awsRetryAfter(_ value: String?) -> Duration? {
        guard let milliseconds = value.flatMap({ FieldText($0).wholeNumber }) else { return nil }
        return .nanoseconds(milliseconds.multipliedSaturating(by: 1_000_000))
    }
}
