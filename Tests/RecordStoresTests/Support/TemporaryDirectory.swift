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

@testable import RecordStores

/// A directory of a test's own, which goes with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/reliability-tests-XXXXXX".utf8CString)
        guard let made = unsafe mkdtemp(&template) else {
            throw StoreFailure(operation: "create", subject: "a temporary directory", code: errno)
        }
        path = unsafe String(cString: made)
    }

    deinit {
        let files = SystemFileSystem()
        for name in (try? files.names(in: path)) ?? [] {
            let entry = "\(path)/\(name)"
            if (try? files.remove(entry)) == nil {
                for inner in (try? files.names(in: entry)) ?? [] { try? files.remove("\(entry)/\(inner)") }
                unsafe rmdir(entry)
            }
        }
        unsafe rmdir(path)
    }
}
