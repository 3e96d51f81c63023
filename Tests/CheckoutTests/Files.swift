// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@testable import checkout

func writeFile(_ path: String, _ bytes: [UInt8]) throws {
    try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC).write(bytes)
}

func readFile(_ path: String) throws -> [UInt8] {
    let file = try Descriptor.open(path, O_RDONLY)
    var all: [UInt8] = []
    while true {
        let bytes = try file.read(upTo: 1 << 16)
        if bytes.isEmpty { return all }
        all += bytes
    }
}
