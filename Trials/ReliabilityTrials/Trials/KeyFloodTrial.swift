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
internal import RateLimiting
internal import ReliabilityTesting

extension Trial {
    /// Somebody who never comes with the same key twice, and somebody who always does.
    static let keyFlood = Trial(
        name: "key-flood",
        summary: "keys without end offered to a limiter of keys: its memory, and the limits of others",
        cycles: 10_000_000
    ) { context in
        try await KeyFlood(offered: context.cycles, seed: context.seed).run()
    }
}

/// A limiter of keys under attack, while a key that it knows goes on using up what it may have.
private struct KeyFlood: Sendable {
    /// Of every key: one in six seconds, so a key that has used one permit is as good as new six seconds later.
    private static let limit = RateLimit.perMinute(10)
    private static let interval = Duration.seconds(6)
    /// How long it lasts by the clock, so that places come free all the time.
    private static let duration = Duration.seconds(20)
    /// Between two looks at the clock, the known key and the memory.
    private static let chunk = 1_000
    private static let tasks = 2
    private static let known = "the key that was there before"

    private let chunks: Int
    private let seed: UInt64
    private let maximumKeys: Int
    private let clock = ManualClock()
    private let limiter: KeyedRateLimiter<String>

    init(offered: Int, seed: UInt64) {
        self.seed = seed
        chunks = max(1, offered / Self.tasks / Self.chunk)
        maximumKeys = min(100_000, chunks * Self.tasks * Self.chunk / 20)
        limiter = KeyedRateLimiter(Self.limit, maximumKeys: maximumKeys, clock: clock)
    }

    private var offered: Int { chunks * Self.tasks * Self.chunk }

    private struct Count: Sendable {
        var attacker = 0
        var known = 0
        var memory: Int64 = 0
    }

    func run() async throws -> Trial.Outcome {
        let before = try Self.residentBytes()
        var known = 0
        while limiter.tryAcquire(Self.known).allowed { known += 1 }
        var sum = Count(known: known)
        try await withThrowingTaskGroup(of: Count.self) { group in
            for task in 0..<Self.tasks { group.addTask { try flood(task) } }
            for try await count in group {
                sum.attacker += count.attacker
                sum.known += count.known
                sum.memory = max(sum.memory, count.memory)
            }
        }
        while limiter.tryAcquire(Self.known).allowed { sum.known += 1 }
        return .passed(try judged(sum, before))
    }

    private func flood(_ task: Int) throws -> Count {
        var count = Count()
        for chunk in 0..<chunks {
            for number in 0..<Self.chunk {
                let key = Self.key(seed &+ UInt64((chunk * Self.tasks + task) * Self.chunk + number))
                if limiter.tryAcquire(key).allowed { count.attacker += 1 }
            }
            if task == 0 { clock.advance(by: Self.duration / chunks) }
            if limiter.tryAcquire(Self.known).allowed { count.known += 1 }
            guard limiter.keyCount <= maximumKeys else {
                throw TrialFailed(what: "\(limiter.keyCount) keys of \(maximumKeys) that there may be", story: [])
            }
            if chunk.isMultiple(of: 100) || chunk == chunks - 1 {
                count.memory = max(count.memory, try Self.residentBytes())
            }
        }
        return count
    }

    private func judged(_ sum: Count, _ before: Int64) throws -> String {
        let elapsed = clock.now.offset
        let permits = Self.limit.burst + Int(elapsed / Self.interval)
        guard sum.known == permits else {
            throw TrialFailed(what: "a key in use got \(sum.known) permits in \(elapsed), not \(permits)", story: [])
        }
        // A place comes free for another key when what was taken from it has come back.
        let most = maximumKeys * (1 + Int(elapsed / Self.interval))
        guard sum.attacker > 0, sum.attacker < most else {
            throw TrialFailed(what: "\(sum.attacker) of \(offered) keys were let in, the bound is \(most)", story: [])
        }
        // Of a key 120 bytes, and 64 for its text; what the allocator has at hand beside that does not depend on them.
        let (grown, bound) = (sum.memory - before, Int64(maximumKeys) * (120 + 64) + 16 << 20)
        guard grown <= bound else {
            throw TrialFailed(what: "the process grew by \(grown) bytes, the bound is \(bound)", story: [])
        }
        let memory = before == 0 ? "memory not known" : "the process grew by \(grown >> 20) MiB"
        return "\(offered) keys offered, \(sum.attacker) let in, at most \(maximumKeys) at a time, \(memory)"
    }

    /// A key of 32 characters, another for every number.
    private static func key(_ number: UInt64) -> String {
        // Multiplied by an odd number, so that none is lost.
        let mixed = number &* 0x9E37_79B9_7F4A_7C15
        let digits = String(mixed ^ mixed >> 32, radix: 16)
        return "session-" + String(repeating: "0", count: 24 - digits.utf8.count) + digits
    }

    /// How much of the process is in memory; zero where the system does not tell.
    private static func residentBytes() throws -> Int64 {
        let raw = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { return 0 }
        let file = Descriptor(owning: raw)
        let words = String(decoding: try Descriptor.read(file.raw), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? (Int64(words[1]) ?? 0) * Int64(sysconf(Int32(_SC_PAGESIZE))) : 0
    }
}
