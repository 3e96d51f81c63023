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

/// A mount namespace of this process's own, so that whatever it mounts goes with it, however it ends.
enum PrivateMounts {
    private static let mark = "RELIABILITY_TRIALS_PRIVATE_MOUNTS"

    /// Runs this program anew in a namespace of its own, where that is allowed; returns otherwise, and inside.
    static func enter() {
        guard unsafe getenv(mark) == nil, geteuid() == 0, refusal == nil else { return }
        unsafe setenv(mark, "1", 1)
        let words = ["unshare"] + options + [Tool.ownPath] + CommandLine.arguments.dropFirst()
        let copies: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        // Returns only if it fails, and then everything goes on as if it were not allowed.
        unsafe execvp(words[0], copies)
        unsafe unsetenv(mark)
    }

    /// Why nothing can be mounted; `nil` if it can.
    static var refusal: String? {
        guard geteuid() == 0 else { return "only root may mount" }
        guard unsafe getenv(mark) == nil else { return nil }
        do {
            try Tool.run("unshare", "--mount", "--propagation", "private", "true")
            return nil
        } catch let error as Tool.Failed {
            return error.reason
        } catch {
            return "unshare: \(error)"
        }
    }

    private static let options = ["--mount", "--propagation", "private"]
}
