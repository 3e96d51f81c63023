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
internal import RecordStores

/// Ends this process when its standard input does: its parent is gone.
enum ParentWatch {
    static func start() {
        let isWatching = startOwnThread {
            while let bytes = try? Descriptor.read(STDIN_FILENO, upTo: 4_096), !bytes.isEmpty {}
            exit(EXIT_FAILURE)
        }
        // A child that nobody ends would hold the store's lock for ever.
        if !isWatching { exit(EXIT_FAILURE) }
    }
}
