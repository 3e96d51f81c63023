// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ReliabilityCore

/// A share in whole millionths, so that it is compared in integers.
struct Share: Sendable {
    private static let whole = 1_000_000
    private let millionths: Int

    /// Rounds down to whole millionths, but not for an error of the last binary digits, nor to zero.
    init(_ share: Double) {
        millionths = max(1, Int(share * Double(Self.whole) + 1e-6))
    }

    /// Whether so many of the results are this share or more.
    func isReached(by number: Int, of results: Int) -> Bool {
        number * Self.whole >= millionths * results
    }

    /// The least number that is this share of the results.
    func least(of results: Int) -> Int {
        (millionths * results + Self.whole - 1) / Self.whole
    }
}

/// A configuration in the form that a breaker computes with: nanoseconds and integers. Nothing of it ever changes, so
/// that all breakers of a registry share it.
final class CircuitRules: Sendable {
    let configuration: CircuitBreaker.Configuration
    /// How many configurations its registry had before this one.
    let version: Int
    let window: CircuitBreaker.Configuration.Window
    let tracksSlowCalls: Bool
    let minimumCalls: Int
    let failureShare: Share?
    let slowShare: Share?
    /// A call that takes longer is slow; the largest number if none is.
    let slowThreshold: Int64
    /// The largest number if failures in a row open nothing.
    let consecutiveFailures: Int
    let rule: CircuitRule?
    let openFor: Int64
    private let growth: CircuitBreaker.Configuration.Growth?
    let maximumAdvice: Int64
    let probes: Int
    /// How many of the probes must succeed.
    let successes: Int
    let concurrency: Int
    let lease: Int64
    let timeLimit: Int64?
    let forgetAfter: Int64?

    init(_ configuration: CircuitBreaker.Configuration, version: Int = 0) {
        let (slowCalls, probes) = (configuration.slowCalls, configuration.probes)
        self.configuration = configuration
        self.version = version
        window = configuration.window
        tracksSlowCalls = slowCalls != nil
        if case .calls(let calls) = window {
            minimumCalls = min(configuration.minimumCalls, calls)
        } else {
            minimumCalls = configuration.minimumCalls
        }
        failureShare = configuration.failureRateThreshold.map(Share.init)
        slowShare = slowCalls.map { Share($0.rateThreshold) }
        slowThreshold = slowCalls?.threshold.nanosecondsRoundedDown ?? .max
        consecutiveFailures = configuration.consecutiveFailures ?? .max
        rule = configuration.rule
        openFor = configuration.openFor.nanosecondsRoundedUp
        growth = configuration.growth
        maximumAdvice = configuration.maximumAdvice.nanosecondsRoundedUp
        self.probes = probes.count
        let failuresThatOpen = failureShare?.least(of: probes.count) ?? 1
        successes = probes.successes ?? probes.count - failuresThatOpen + 1
        concurrency = probes.concurrency ?? probes.count
        lease = probes.lease.nanosecondsRoundedUp
        timeLimit = probes.timeLimit?.nanosecondsRoundedUp
        forgetAfter = configuration.forgetAfter?.nanosecondsRoundedUp
    }

    /// Whether every result needs the time, and not only those that change the state.
    var needsTime: Bool {
        if case .time = window { return true }
        return tracksSlowCalls || forgetAfter != nil
    }

    /// Whether a call that ends now is slow.
    func isSlow(_ now: Int64, since start: Int64) -> Bool { now.subtractingSaturating(start) > slowThreshold }

    /// The open time that follows one that the probes have not ended.
    func openTime(after last: Int64) -> Int64 {
        guard let growth else { return openFor }
        let maximum = growth.maximum.nanosecondsRoundedUp
        let next = max(Double(openFor), Double(last) * growth.factor)
        return next < Double(maximum) ? Int64(next) : maximum
    }

    /// The open time less a part of it that the draw, 64 random bits, decides.
    func jittered(_ openTime: Int64, _ draw: UInt64) -> Int64 {
        guard let growth, growth.jitter > 0 else { return openTime }
        let part = Double(openTime) * growth.jitter
        let most = part < Double(openTime) ? Int64(part) : openTime
        return max(1, openTime - Int64((UInt64(most) + 1).multipliedFullWidth(by: draw).high))
    }
}
