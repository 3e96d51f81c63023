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
internal import Synchronization

/// What two threads did together: how often in all, and how long from the first start to the last end.
struct Pair: Sendable {
    let done: Int
    let duration: Duration
}

/// Runs a body on the calling thread and on a second one, started by a spin in which they wait for each other.
func runOnTwoThreads(_ body: @escaping @Sendable () -> Int) throws -> Pair {
    let meeting = Meeting(body)
    let thread = try meeting.startSecondThread()
    let mine = meeting.run()
    pthread_join(thread, nil)
    guard let other = meeting.other.withLock({ $0 }) else { preconditionFailure("The second thread ended with a run") }
    return Pair(
        done: mine.done + other.done,
        duration: min(mine.start, other.start).duration(to: max(mine.end, other.end)))
}

private final class Meeting: Sendable {
    struct Run {
        let start: ContinuousClock.Instant
        let done: Int
        let end: ContinuousClock.Instant
    }

    /// The second thread's run, once it has ended.
    let other = Mutex<Run?>(nil)
    private let present = Atomic<Int>(0)
    private let body: @Sendable () -> Int

    init(_ body: @escaping @Sendable () -> Int) { self.body = body }

    func run() -> Run {
        present.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while present.load(ordering: .acquiring) < 2 {}
        let start = ContinuousClock.now
        let done = body()
        return Run(start: start, done: done, end: ContinuousClock.now)
    }

    func startSecondThread() throws -> pthread_t {
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let meeting = unsafe Unmanaged.passRetained(self)
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                #if canImport(Darwin)
                let pointer = argument
                #else
                guard let pointer = unsafe argument else { return nil }
                #endif
                let meeting = unsafe Unmanaged<Meeting>.fromOpaque(pointer).takeRetainedValue()
                let run = meeting.run()
                meeting.other.withLock { $0 = run }
                return nil
            }, unsafe meeting.toOpaque())
        #if canImport(Darwin)
        if status == 0, let thread { return thread }
        #else
        if status == 0 { return thread }
        #endif
        unsafe meeting.release()
        throw SystemCallFailed("start a thread", "second thread", code: status)
    }
}
