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

/// A system call that failed.
struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The call's name, such as `open`.
    let call: String
    /// The value of `errno` after it.
    let code: Int32

    /// The failure of the call that just returned.
    static func last(_ call: String) -> SystemError { SystemError(call: call, code: errno) }

    var description: String { unsafe "\(call): \(String(cString: strerror(code)))" }
}
