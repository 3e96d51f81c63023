// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A new directory for its owner alone, until it is removed.
struct TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        // Short, because a socket's path has little room.
        path = "/tmp/checkout-" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    /// Removes it with all that is in it.
    func remove() {
        // What cannot be removed stays in /tmp until the system clears that.
        try? FileManager.default.removeItem(atPath: path)
    }
}
