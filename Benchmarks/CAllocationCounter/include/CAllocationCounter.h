// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#ifndef C_ALLOCATION_COUNTER_H
#define C_ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/// Whether allocations can be counted in this build: with glibc on Linux, and without a sanitizer, which has its own.
bool allocationCounterWorks(void);

/// Starts counting at zero, on all threads.
void allocationCounterStart(void);

/// Stops counting and returns how many blocks were asked for since the start; a reallocation counts as one.
int64_t allocationCounterStop(void);

#endif
