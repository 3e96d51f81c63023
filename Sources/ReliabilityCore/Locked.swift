// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if TSAN
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The lock that every primitive uses, in the form that the thread sanitizer understands.
///
/// `Synchronization.Mutex` waits in a library that is not instrumented, so the sanitizer takes every access that it
/// protects for a race. This form over `pthread_mutex_t` has the same interface and is compiled under `-DTSAN` alone.
/// The two pointers never leave it.
@safe
package struct Locked<Value: ~Copyable>: ~Copyable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    package init(_ initial: consuming sending Value) {
        unsafe lock = .allocate(capacity: 1)
        unsafe lock.initialize(to: pthread_mutex_t())
        let status = unsafe pthread_mutex_init(lock, nil)
        precondition(status == 0, "pthread_mutex_init failed with \(status)")
        unsafe value = .allocate(capacity: 1)
        unsafe value.initialize(to: initial)
    }

    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        return unsafe try body(&value.pointee)
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
    }
}

// The value is reached under the lock alone, and the mutex may be locked from any thread.
extension Locked: @unchecked Sendable where Value: ~Copyable {}
#else
package import Synchronization

/// The lock that every primitive uses: `Synchronization.Mutex`, except under the thread sanitizer.
package typealias Locked = Mutex
#endif
