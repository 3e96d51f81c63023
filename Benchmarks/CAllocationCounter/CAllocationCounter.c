// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#include "CAllocationCounter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

#if defined(__linux__) && defined(__GLIBC__) && !defined(HAS_SANITIZER)

// A program's own malloc takes the place of glibc's, also for the libraries that it loads. Each function here hands the
// request on to glibc's own, so that blocks are glibc's and `free` stays as it is. While nothing is counted, a request
// costs one load and one branch more than usual.

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_bool isCounting;
static _Atomic int64_t count;

static inline void note(void) {
    if (__builtin_expect(atomic_load_explicit(&isCounting, memory_order_relaxed), 0)) {
        atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    }
}

void *malloc(size_t size) {
    note();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    note();
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    note();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    note();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) { return EINVAL; }
    note();
    void *allocated = __libc_memalign(alignment, size);
    if (allocated == NULL) { return ENOMEM; }
    *block = allocated;
    return 0;
}

bool allocationCounterWorks(void) { return true; }

void allocationCounterStart(void) {
    atomic_store(&count, 0);
    atomic_store(&isCounting, true);
}

int64_t allocationCounterStop(void) {
    atomic_store(&isCounting, false);
    return atomic_load(&count);
}

#else

bool allocationCounterWorks(void) { return false; }
void allocationCounterStart(void) {}
int64_t allocationCounterStop(void) { return 0; }

#endif
