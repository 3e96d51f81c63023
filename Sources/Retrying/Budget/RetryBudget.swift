// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// Bounds how many retries there are, over all callers that share it.
///
/// `maxAttempts` bounds one run. If every run of a busy service makes three attempts, its neighbour gets three times the
/// load in the moment in which it can bear least. A budget bounds the whole: once it is used up, failures are passed on
/// at once and nobody waits for an attempt that will not be made.
///
/// ```swift
/// let budget = RetryBudget(name: "provider")
/// let reads = Retry(name: "reads", maxAttempts: 4, repeatability: .idempotent, budget: budget)
/// let writes = Retry(name: "writes", budget: budget)
/// ```
///
/// Make one for each neighbour and share it. There are three kinds:
///
/// | Kind | A retry is granted while | Comes from |
/// | --- | --- | --- |
/// | ``init(name:ratio:minimumPerSecond:window:clock:onEvent:)`` | the retries of the last seconds are less than a share of the first attempts of the same seconds, plus a floor | Finagle, Linkerd |
/// | ``tokens(name:maxTokens:tokenRatio:onEvent:)`` | more than half of the tokens are left: a failure takes one, a success gives back a part | gRPC A6 |
/// | ``quota(name:capacity:cost:onEvent:)`` | there are tokens for its cost; they come back when the operation succeeds | AWS SDKs |
///
/// Take the first if in doubt: it is the only one whose promise is a number, "at most 20 % more load".
///
/// A ``Retry`` uses its budget by itself. It takes the retry out before the back-off, so that those who wait count, and
/// gives it back if the neighbour is spared after all: no attempt follows, because the task was cancelled or the time ran
/// out, or a guard within the retry refuses it with a `Rejection`. Code with an attempt loop of its own, or with another
/// kind of extra attempt, calls ``deposit()`` once for an operation, ``withdraw(after:)`` before it waits for another
/// attempt or ``gaveUp(after:)`` if none follows, and tells the ``RetryWithdrawal`` what becomes of it:
///
/// ```swift
/// budget.deposit()
/// do {
///     let value = try await fetch()
///     budget.succeeded()
///     return value
/// } catch { /* one that may be tried again */ }
/// var retry = try budget.withdraw()
/// do { try await Task.sleep(for: delay) } catch { retry.giveBack(); throw error }
/// retry.begin()
/// do {
///     let value = try await fetch()
///     retry.succeeded()
///     return value
/// } catch {
///     retry.failed(with: error)
///     budget.gaveUp(after: error)
///     throw error
/// }
/// ```
///
/// A budget is decided under a lock, held for some nanoseconds. It allocates nothing after it is made.
public final class RetryBudget: Sendable {
    /// The name in errors and ``summary``.
    public let name: String

    /// The name and the settings in one line.
    public let summary: String

    private let ledger: any BudgetLedger
    private let onEvent: (@Sendable (RetryBudgetEvent) -> Void)?

    private init(
        _ name: String, _ settings: String, _ ledger: any BudgetLedger,
        _ onEvent: (@Sendable (RetryBudgetEvent) -> Void)?
    ) {
        self.name = name
        summary = "RetryBudget(\(name)): \(settings)"
        self.ledger = ledger
        self.onEvent = onEvent
    }

    /// A budget of a share of the first attempts of the last seconds, plus a floor for when there are few.
    ///
    /// Whenever a retry is granted, those that wait, itself included, and those that began during the last `window` are
    /// together at most `ratio × first attempts during the same time + minimumPerSecond × window`. So over a long time
    /// there are at most `ratio` retries for each first attempt, plus `minimumPerSecond` a second; and however long the
    /// delays are, no more retries wait than that. Time is counted in twentieths of the window, so what is counted is up
    /// to a twentieth older than the window.
    ///
    /// | `ratio` | `minimumPerSecond` | `window` | First attempts in the window | Retries in it |
    /// | --- | --- | --- | --- | --- |
    /// | 0.2 | 10 | 10 s | 0 | 100 |
    /// | 0.2 | 10 | 10 s | 1,000 | 300 |
    /// | 0.2 | 0 | 10 s | 24 | 4 |
    /// | 0.51 | 0 | 10 s | 100 | 51 |
    /// | 0 | 0.3 | 10 s | any | 3 |
    ///
    /// Both settings are kept as whole billionths, the nearest ones, and every decision is in integers: a ratio of 0.51
    /// grants exactly 51 in 100, and 1/3 grants one too few in a billion at most.
    ///
    /// - Parameters:
    ///   - name: The name in errors; empty by default.
    ///   - ratio: Retries for each first attempt, 0 to 1,000; 0.2 by default.
    ///   - minimumPerSecond: Retries a second that are granted however few first attempts there are, 0 to 1,000,000;
    ///     10 by default. Those of a whole window may come at once.
    ///   - window: How long first attempts and retries count; longer than zero and at most 60 s, 10 s by default.
    ///   - clock: What the window is measured with.
    ///   - onEvent: Hears of mistakes in the calling code, see ``RetryBudgetEvent``.
    public convenience init(
        name: String = "", ratio: Double = 0.2, minimumPerSecond: Double = 10, window: Duration = .seconds(10),
        clock: any Clock<Duration> = ContinuousClock(), onEvent: (@Sendable (RetryBudgetEvent) -> Void)? = nil
    ) {
        precondition((0...1_000).contains(ratio), "The ratio of a retry budget is 0 to 1,000, not \(ratio)")
        precondition(
            (0...1_000_000).contains(minimumPerSecond),
            "The floor of a retry budget is 0 to 1,000,000 a second, not \(minimumPerSecond)")
        precondition(
            window > .zero && window <= .seconds(60),
            "The window of a retry budget is longer than zero and at most 60 s, not \(window)")
        let core = WindowedBudget(ratio: ratio, minimumPerSecond: minimumPerSecond, window: window.nanosecondsRoundedUp)
        self.init(
            name, "\(ratio) of the first attempts and \(minimumPerSecond) a second, over \(window)",
            SharedBudget(core, TimeSource(clock), cost: { _ in 1 }), onEvent)
    }

    /// A budget of tokens that failures take and successes give back in part, as gRPC throttles its retries.
    ///
    /// There are `maxTokens` at first and at most. A failed attempt takes one, an operation that succeeds gives
    /// `tokenRatio` back, and a retry is granted while more than half of `maxTokens` are left. So it knows no time: after
    /// an outage it takes `maxTokens / 2 / tokenRatio` successes to be back at its full size.
    ///
    /// Failures are attempts that are, or would be, tried again, and those that the neighbour pushed back: not those that
    /// the classification stops, and not the `Rejection` of an inner policy, which never reached the neighbour. The
    /// algorithm is gRPC proposal A6, "Throttling
    /// Retry Attempts and Hedged RPCs".
    ///
    /// - Parameters:
    ///   - name: The name in errors; empty by default.
    ///   - maxTokens: 1 to 1,000.
    ///   - tokenRatio: More than 0 and at most 1,000; what is behind the third decimal place is ignored.
    ///   - onEvent: Hears of mistakes in the calling code, see ``RetryBudgetEvent``.
    public static func tokens(
        name: String = "", maxTokens: Int = 10, tokenRatio: Double = 0.1,
        onEvent: (@Sendable (RetryBudgetEvent) -> Void)? = nil
    ) -> RetryBudget {
        precondition((1...1_000).contains(maxTokens), "A retry budget has 1 to 1,000 tokens, not \(maxTokens)")
        precondition(
            tokenRatio >= 0.001 && tokenRatio <= 1_000,
            "The token ratio of a retry budget is 0.001 to 1,000, not \(tokenRatio)")
        return RetryBudget(
            name, "\(maxTokens) tokens, \(tokenRatio) back for a success",
            SharedBudget(TokenBudget(maxTokens: maxTokens, tokenRatio: tokenRatio), cost: TokenBudget.cost), onEvent)
    }

    /// A budget of tokens that retries cost and successes give back, as the AWS SDKs keep their retry quota.
    ///
    /// A retry takes its cost and is granted if that is there. An operation that succeeds after retries gives back the
    /// cost of the last; one that succeeds at its first attempt gives one token. It knows no time either.
    ///
    /// | SDK | `capacity` | `cost` |
    /// | --- | --- | --- |
    /// | standard mode 2.1 | 500 | 14, or 5 after throttling |
    /// | standard mode | 500 | 5, or 10 after a timeout |
    ///
    /// - Parameters:
    ///   - name: The name in errors; empty by default.
    ///   - capacity: The tokens there are at first and at most; at least 1, by default 500.
    ///   - cost: The tokens that a retry takes after this error, or after a value if it is `nil`; by default 14. Less
    ///     than none is none.
    ///   - onEvent: Hears of mistakes in the calling code, see ``RetryBudgetEvent``.
    public static func quota(
        name: String = "", capacity: Int = 500, cost: @escaping @Sendable ((any Error)?) -> Int = { _ in 14 },
        onEvent: (@Sendable (RetryBudgetEvent) -> Void)? = nil
    ) -> RetryBudget {
        precondition(capacity >= 1, "A retry quota has at least 1 token, not \(capacity)")
        return RetryBudget(
            name, "quota of \(capacity) tokens",
            SharedBudget(QuotaBudget(capacity: capacity), cost: { Int64(max(0, cost($0))) }), onEvent)
    }

    /// How many retries would be granted now, if nothing else happened meanwhile. Changes nothing.
    public var available: Int { Int(clamping: ledger.available()) }

    /// Counts an operation that is attempted for the first time. Call it once for each, before its first attempt.
    public func deposit() { ledger.deposit() }

    /// Counts an operation that succeeded at its first attempt. After a retry, call ``RetryWithdrawal/succeeded()``.
    public func succeeded() { ledger.succeeded(after: nil) }

    /// Takes a retry out, before the delay that precedes it.
    ///
    /// - Parameter error: What the attempt before failed with; `nil` if it did not fail.
    /// - Returns: the retry, which is held until it is told that the retry begins or is not made.
    /// - Throws: ``RetryBudgetExhausted`` if there is none. It speaks of the retry alone: where an attempt has run, what
    ///   is true of the operation is that attempt's error.
    public func withdraw(after error: (any Error)? = nil) throws(RetryBudgetExhausted) -> RetryWithdrawal {
        guard let receipt = take(after: error) else { throw RetryBudgetExhausted(budget: name) }
        return RetryWithdrawal(self, receipt)
    }

    func take(after error: (any Error)?) -> BudgetReceipt? { ledger.withdraw(after: error) }

    func begin(_ receipt: BudgetReceipt) -> BudgetReceipt { ledger.begin(receipt) }

    func giveBack(_ receipt: BudgetReceipt) { ledger.giveBack(receipt) }

    func succeeded(after receipt: BudgetReceipt) { ledger.succeeded(after: receipt) }

    /// Counts a retry that began and failed: it stays spent, unless a guard refused it.
    func failed(_ receipt: BudgetReceipt, with error: (any Error)?) {
        if error?.isRefusal ?? false { giveBack(receipt) }
    }

    /// Counts a failed attempt after which no other is asked for, although the neighbour failed in it: the last of a run.
    ///
    /// ``withdraw(after:)`` counts the attempt before it by itself. An attempt that got an answer is not counted.
    ///
    /// - Parameter error: What the attempt failed with; `nil` if it returned a value that asks for another.
    public func gaveUp(after error: (any Error)?) { ledger.failed(with: error) }

    func reportDropped(hasBegun: Bool) {
        onEvent?(RetryBudgetEvent(name: name, kind: .withdrawalDropped(hasBegun: hasBegun)))
    }
}

/// A ``RetryBudget`` has no retry left: *not now*. The attempt that was asked for did not run.
///
/// A ``Retry`` does not throw it: it throws what the last attempt failed with.
public struct RetryBudgetExhausted: Rejection, Equatable, CustomStringConvertible {
    /// The name of the budget.
    public let budget: String

    /// Always `nil`: it depends on what others do.
    public var retryAfter: Duration? { nil }

    /// A refusal, for code that maps the refusal of another budget to this one.
    public init(budget: String) {
        self.budget = budget
    }

    /// The refusal in words.
    public var description: String { budget.isEmpty ? "No retry left in the budget" : "No retry left in \(budget)" }
}
