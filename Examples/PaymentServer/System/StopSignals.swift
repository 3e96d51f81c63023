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

/// Turns SIGTERM and SIGINT into the end of a file, for a thread that waits in `poll`.
enum StopSignals {
    // Written before the handlers are installed, and looked at by them alone from then on.
    nonisolated(unsafe) fileprivate static var writeEnd: Int32 = -1

    /// A descriptor that comes to its end at the first of these signals; call it once in a process.
    static func install() throws(SystemError) -> Descriptor {
        let (output, input) = try Descriptor.pipe()
        // The handler closes a number of its own, whoever lets go of the pipe.
        unsafe Self.writeEnd = dup(input.raw)
        guard unsafe writeEnd >= 0 else { throw .last("dup") }
        for number in [SIGTERM, SIGINT] {
            // All that a handler may do safely: close a descriptor.
            signal(number) { _ in
                let end = unsafe StopSignals.writeEnd
                unsafe StopSignals.writeEnd = -1
                if end >= 0 { _ = close(end) }
            }
        }
        return output
    }
}
