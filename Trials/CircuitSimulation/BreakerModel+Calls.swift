// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import CircuitBreaking

// What callers and operators do.
extension BreakerModel {
    /// Starts a call; `nil` if it is refused.
    mutating func start() -> Call? {
        if case .closed = phase { return Call(era: era, startedAt: now, isTimed: settings.slow != nil, probe: nil) }
        if case .metricsOnly = phase {
            return Call(era: era, startedAt: now, isTimed: settings.slow != nil, probe: nil)
        }
        if case .disabled = phase { return Call(era: era, startedAt: now, isTimed: false, probe: nil) }
        pass()
        switch phase {
        case .closed, .metricsOnly, .disabled:
            // It was forgotten that the breaker was open.
            lastUse = now
            return Call(era: era, startedAt: now, isTimed: settings.slow != nil, probe: nil)
        case .open(let until):
            if now < until { return refuse(until - now) }
            lastUse = now
            change(to: .halfOpen(limit: settings.timeLimit.map { now + $0 }), .openTimeOver)
            return startProbe()
        case .isolated(let until):
            guard let until else { return refuse(nil) }
            if now < until { return refuse(until - now) }
            lastUse = now
            change(to: .halfOpen(limit: settings.timeLimit.map { now + $0 }), .openTimeOver)
            return startProbe()
        case .halfOpen:
            lastUse = now
            return startProbe()
        }
    }

    private mutating func refuse(_ retryAfter: Int?) -> Call? {
        rejected += 1
        tell(.rejected(retryAfter: retryAfter.map { .nanoseconds($0) }))
        return nil
    }

    private mutating func startProbe() -> Call? {
        let room = min(settings.concurrency ?? settings.probes, settings.probes - probeResults.count)
        if places.count >= room {
            guard let first = places.min(by: { $0.leaseUntil < $1.leaseUntil }), first.leaseUntil <= now else {
                return refuse(nil)
            }
            places.removeAll { $0.number == first.number }
            tell(.probeExpired)
        }
        probesStarted += 1
        places.append(Probe(number: probesStarted, leaseUntil: now + settings.lease))
        return Call(era: era, startedAt: now, isTimed: true, probe: probesStarted)
    }

    /// Ends a call.
    mutating func end(_ call: Call, _ verdict: CircuitVerdict) {
        if call.era == era, !isDisabled { pass() }
        if call.era != era {
            if verdict != .ignored, !wasDisabled(call) {
                told.append(Notice(era: call.era, kind: .lateResult(verdict)))
            }
            return
        }
        if isDisabled { return }
        lastUse = now
        var advice: Int?
        if case .unavailable(let duration) = verdict {
            let nanoseconds =
                Int(duration.components.seconds) * 1_000_000_000
                + Int(duration.components.attoseconds / 1_000_000_000)
            if min(nanoseconds, settings.maximumAdvice) > 0 { advice = min(nanoseconds, settings.maximumAdvice) }
        }
        let slow = settings.slow.map { call.isTimed && now - call.startedAt > $0.over } ?? false
        let result = Result(at: now, failed: verdict != .success, slow: slow)
        if let probe = call.probe {
            places.removeAll { $0.number == probe }
            if verdict == .ignored { return }
            probeResults.append(result)
            if let advice { open(.advice, counts, advice: advice, at: now) } else { judgeProbes() }
        } else if verdict != .ignored {
            if window.isEmpty { results = [] }
            let before = window.count
            results.append(result)
            judge(result, advice, completes: before == minimum - 1 && window.count == minimum)
        }
    }

    /// Lets a call's permit go unsettled.
    mutating func drop(_ call: Call) {
        end(call, .ignored)
        told.append(Notice(era: call.era, kind: .permitDropped))
    }

    private var isDisabled: Bool { if case .disabled = phase { true } else { false } }

    /// Calls of a disabled breaker carry neither a time nor a probe, and nobody hears of them.
    private func wasDisabled(_ call: Call) -> Bool { disabledEras.contains(call.era) }

    /// Whether the results in the window break a rule, now that this one has come.
    private mutating func judge(_ result: Result, _ advice: Int?, completes: Bool) {
        let (counts, isBad) = (counts, result.failed || result.slow)
        guard isBad || completes else { return }
        let isRated = counts.calls >= minimum
        var reason: CircuitReason?
        if advice != nil {
            reason = .advice
        } else if let row = settings.row, counts.consecutiveFailures >= row {
            reason = .consecutiveFailures
        } else if isRated, let rate = settings.failureRate, rate.isReached(by: counts.failures, of: counts.calls) {
            reason = .failureRate
        } else if isRated, let slow = settings.slow, slow.rate.isReached(by: counts.slowCalls, of: counts.calls) {
            reason = .slowCallRate
        } else if isBad, let most = settings.ruleFailures, counts.failures >= most {
            reason = .rule(ModelSettings.ruleName)
        }
        if case .metricsOnly = phase {
            if let reason, !isBreached { tell(.breached(reason, counts)) }
            if reason != nil || isBad { isBreached = reason != nil }
        } else if let reason {
            open(reason, counts, advice: advice, at: now)
        }
    }

    /// The verdict is certain once the best and the worst that the missing results could be agree on it.
    mutating func judgeProbes() {
        let missing = max(0, settings.probes - probeResults.count)
        let good = Result(at: now, failed: false, slow: false)
        let worst = probeResults + Array(repeating: Result(at: now, failed: true, slow: true), count: missing)
        let best = probeResults + Array(repeating: good, count: missing)
        if let reason = failing(best) {
            open(reason, counts, at: now)
        } else if failing(worst) == nil {
            change(to: .closed, .probesSucceeded)
        }
    }

    /// Why so many results would open the breaker again.
    private func failing(_ all: [Result]) -> CircuitReason? {
        let failures = all.filter(\.failed).count
        if let successes = settings.successes {
            if failures > settings.probes - successes { return .probesFailed }
        } else if let rate = settings.failureRate {
            if rate.isReached(by: failures, of: settings.probes) { return .probesFailed }
        } else if failures > 0 {
            return .probesFailed
        }
        if let slow = settings.slow, slow.rate.isReached(by: all.filter(\.slow).count, of: settings.probes) {
            return .probesSlow
        }
        return nil
    }

    mutating func isolate(for length: Int?) {
        pass()
        if let length, length <= 0 { return }
        let until = length.map { now + $0 }
        if case .isolated(until) = phase { return }
        change(to: .isolated(until: until), .operation, openFor: length)
    }

    mutating func disable() {
        pass()
        if isDisabled { return }
        change(to: .disabled, .operation)
        disabledEras.insert(era)
    }

    mutating func measureOnly() {
        pass()
        if case .metricsOnly = phase { return }
        change(to: .metricsOnly, .operation)
    }

    mutating func reset() {
        pass()
        lastUse = now
        change(to: .closed, .operation)
    }

    mutating func reconfigure(_ next: ModelSettings) {
        pass()
        if next.window != settings.window || (next.slow == nil) != (settings.slow == nil) { results = [] }
        settings = next
        lastUse = now
        tell(.reconfigured)
        if case .halfOpen = phase { judgeProbes() }
    }
}
