// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Ends this process when its standard input does: its parent is gone.
enum ParentWatch {
    static func start() {
        DispatchQueue(label: "parent watch").async {
            while let bytes = try? Descriptor.read(STDIN_FILENO, upTo: 4_096), !bytes.isEmpty {}
            exit(EXIT_FAILURE)
        }
    }
}
