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

/// Where the orders come from.
enum OrderInput: Equatable, Sendable {
    case standardInput
    case file(String)

    /// The orders that come with the example.
    ///
    /// Looked for below the current directory, then below the directories above the executable, which are the package's
    /// if it built the executable, then beside the sources.
    ///
    /// - Throws: a ``Failure`` if they are in none of these places.
    static func bundled() throws(Failure) -> OrderInput {
        let name = "Examples/Checkout/orders.jsonl"
        var places = [name]
        var directory = ancestor(of: Executable.path)
        while let above = directory {
            places.append((above == "/" ? "" : above) + "/" + name)
            directory = ancestor(of: above)
        }
        if let example = ancestor(of: #filePath).flatMap(ancestor) { places.append(example + "/orders.jsonl") }
        guard let path = places.first(where: { unsafe access($0, R_OK) == 0 }) else {
            throw Failure(
                "cannot read orders: \(name): not found here nor above the executable; name a file or -",
                exitCode: .cannotStart)
        }
        return .file(path)
    }

    /// The path of the directory that holds an absolute path; `nil` for the root.
    static func ancestor(of path: String) -> String? {
        guard path.hasPrefix("/"), path != "/", let slash = path.lastIndex(of: "/") else { return nil }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
