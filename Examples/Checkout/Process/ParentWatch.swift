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

/// Notices that the parent process has ended.
enum ParentWatch {
    /// Calls the action once, on a thread of its own, when the descriptor comes to its end.
    ///
    /// For a ``Child``, that is standard input, which ends when the parent closes it and when the parent is gone,
    /// however it went. What comes before the end is read and dropped.
    static func start(
        _ descriptor: Int32 = STDIN_FILENO, _ action: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        try startThread {
            while let bytes = try? Descriptor.read(descriptor, upTo: 4_096), !bytes.isEmpty {}
            action()
        }
    }
}
