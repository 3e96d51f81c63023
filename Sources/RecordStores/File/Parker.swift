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

/// Lets one thread sleep until another wakes it; a wake-up that comes first is kept.
///
/// The thread sanitizer knows POSIX mutexes and conditions, so one form serves all builds.
@safe
package final class Parker: @unchecked Sendable {
    // Sendable: the flag is read and written under the mutex alone, and mutex and condition are made for sharing.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var isWoken = false

    package init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe condition = .allocate(capacity: 1)
        unsafe condition.initialize(to: pthread_cond_t())
        #if canImport(Darwin)
        unsafe pthread_cond_init(condition, nil)
        #else
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe condition.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Blocks until ``wake()``, at most so many nanoseconds; returns at once if that was called since the last time.
    package func park(atMost nanoseconds: Int64? = nil) {
        unsafe pthread_mutex_lock(mutex)
        if let nanoseconds {
            if !isWoken { wait(max(1, nanoseconds)) }
        } else {
            while !isWoken { unsafe pthread_cond_wait(condition, mutex) }
        }
        isWoken = false
        unsafe pthread_mutex_unlock(mutex)
    }

    /// Requires the mutex. May return early.
    private func wait(_ nanoseconds: Int64) {
        #if canImport(Darwin)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        unsafe _ = pthread_cond_timedwait_relative_np(condition, mutex, &time)
        #else
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let end = (Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)).addingSaturating(nanoseconds)
        var time = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        unsafe _ = pthread_cond_timedwait(condition, mutex, &time)
        #endif
    }

    package func wake() {
        unsafe pthread_mutex_lock(mutex)
        isWoken = true
        unsafe pthread_mutex_unlock(mutex)
        unsafe pthread_cond_signal(condition)
    }
}

/// Runs a body on a thread of its own, which ends with it. `false` if the system gives no thread.
package func startOwnThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = unsafe Unmanaged.passRetained(Box(body))
    #if canImport(Darwin)
    var thread: pthread_t?
    #else
    var thread = pthread_t()
    #endif
    let status = unsafe pthread_create(
        &thread, nil,
        { argument in
            #if canImport(Darwin)
            let pointer = argument
            #else
            guard let pointer = unsafe argument else { return nil }
            #endif
            unsafe Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    guard status == 0 else {
        unsafe box.release()
        return false
    }
    #if canImport(Darwin)
    if let thread { unsafe pthread_detach(thread) }
    #else
    pthread_detach(thread)
    #endif
    return true
}
