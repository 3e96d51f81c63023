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

/// The system's text for an error number, such as "No space left on device".
package func systemErrorText(_ code: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 256)
    let known = unsafe text.withUnsafeMutableBytes { buffer in
        guard let base = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self) else { return false }
        return unsafe strerror_r(code, base, buffer.count) == 0
    }
    return known ? String(decoding: text.prefix { $0 != 0 }, as: UTF8.self) : "error \(code)"
}
