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
internal import MachO
#endif

/// The program that is running.
enum Executable {
    /// Its absolute path, for starting it once more.
    static var path: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        #if canImport(Darwin)
        var size = UInt32(buffer.count)
        let found = unsafe _NSGetExecutablePath(&buffer, &size) == 0
        let length = found ? buffer.firstIndex(of: 0) ?? 0 : 0
        #else
        let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        #endif
        guard length > 0 else { return CommandLine.arguments[0] }
        return String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
