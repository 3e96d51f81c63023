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
final class Parker: @unchecked Sendable {
    // Sendable: the flag is read and written under the mutex alone, and mutex and condition are made for sharing.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var isWoken = false

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe condition = .allocate(capacity: 1)
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe condition.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Blocks until ``wake()``, or returns at once if that was called since the last time.
    func park() {
        unsafe pthread_mutex_lock(mutex)
        while !isWoken { unsafe pthread_cond_wait(condition, mutex) }
        isWoken = false
        unsafe pthread_mutex_unlock(mutex)
    }

    func wake() {
        unsafe pthread_mutex_lock(mutex)
        isWoken = true
        unsafe pthread_mutex_unlock(mutex)
        unsafe pthread_cond_signal(condition)
    }
}

/// Runs a body on a thread of its own, which ends with it. `false` if the system gives no thread.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
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
