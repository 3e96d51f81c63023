// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#ifndef C_PLAIN_DIGEST_H
#define C_PLAIN_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/// The first eight bytes of the SHA-256 of some bytes, by the definition of FIPS 180-4 and without special instructions:
/// what portable code can do.
uint64_t plainDigest(const uint8_t *bytes, size_t length);

#endif
