// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Reliability
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Threads of their own for calls that block, so that no such call holds up a thread of the cooperative pool.
///
/// Their number is fixed. Calls beyond it wait in a queue, which is as long as there are tasks suspended in
/// ``run(_:)``. The threads end when this object goes away.
final class BlockingThreads: Sendable {
    private let jobs: JobQueue

    /// Starts the threads.
    init(count: Int = 32) throws(SystemError) {
        precondition(count > 0, "\(count) threads cannot run anything")
        jobs = JobQueue()
        for started in 0..<count {
            do {
                try startThread { [jobs] in jobs.work() }
            } catch {
                jobs.close(threads: started)
                throw error
            }
        }
        threads = count
    }

    private let threads: Int

    deinit { jobs.close(threads: threads) }

    /// Runs the body on one of the threads. It ignores cancellation: the body bounds its own waits.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            jobs.add { continuation.resume(with: Result { try body() }) }
        }
    }
}

/// The jobs that wait for a thread, oldest first.
private final class JobQueue: Sendable {
    private typealias Job = @Sendable () -> Void

    private let waiting = Locked<[Job]>([])
    private let signal = DispatchSemaphore(value: 0)

    func add(_ job: @escaping @Sendable () -> Void) {
        waiting.withLock { $0.append(job) }
        signal.signal()
    }

    /// Lets each thread end once no job is left.
    func close(threads: Int) {
        for _ in 0..<threads { signal.signal() }
    }

    /// Runs jobs until the queue is closed: a signal with no job behind it is the end.
    func work() {
        while true {
            signal.wait()
            guard let job = waiting.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return }
            job()
        }
    }
}

/// Starts a detached thread that runs the body.
func startThread(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let box = unsafe Unmanaged.passRetained(ThreadBody(body))
    #if canImport(Darwin)
    var thread: pthread_t?
    let status = unsafe pthread_create(&thread, nil, { unsafe ThreadBody.run($0) }, box.toOpaque())
    if let thread { pthread_detach(thread) }
    #else
    var thread = pthread_t()
    let status = unsafe pthread_create(&thread, nil, { unsafe ThreadBody.run($0) }, box.toOpaque())
    if status == 0 { pthread_detach(thread) }
    #endif
    guard status == 0 else {
        unsafe box.release()
        throw SystemError(call: "pthread_create", code: status)
    }
}

private final class ThreadBody {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context = unsafe context else { preconditionFailure("a thread started without its body") }
        unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().body()
        return nil
    }
}
