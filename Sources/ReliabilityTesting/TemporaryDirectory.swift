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
package import RecordStores

/// A directory of a test's own, which goes with it and all that is in it.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() throws(StoreFailure) {
        var template = Array("/tmp/reliability-tests-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&template) else {
            throw StoreFailure(operation: "create", subject: "a temporary directory", code: errno)
        }
        path = unsafe String(cString: made)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        let files = SystemFileSystem()
        // Only a directory has names in it.
        for name in (try? files.names(in: path)) ?? [] { remove("\(path)/\(name)") }
        if (try? files.remove(path)) == nil { unsafe rmdir(path) }
    }
}
