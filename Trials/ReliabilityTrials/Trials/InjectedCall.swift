// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What happens at an injected call.
enum InjectedFault: String, CaseIterable {
    case ioError = "error=EIO"
    case noSpace = "error=ENOSPC"
    case interrupted = "error=EINTR"
    case kill = "signal=KILL"
}

/// A call that is to fail, and at how many of its first occurrences in a thread.
struct InjectedCall {
    /// Its name, and others that a system may use in its place.
    let names: [String]
    let occurrences: Int
    /// Whether the calls of the dynamic loader come first, so that only the store's files count.
    var isUsedByLoader = false

    var name: String { names[0] }

    static let all = [
        InjectedCall(names: ["fdatasync"], occurrences: 14),
        InjectedCall(names: ["pwrite64"], occurrences: 28),
        InjectedCall(names: ["fsync"], occurrences: 4),
        InjectedCall(names: ["rename", "renameat", "renameat2"], occurrences: 2),
        InjectedCall(names: ["openat", "open"], occurrences: 10, isUsedByLoader: true),
        InjectedCall(names: ["unlink", "unlinkat"], occurrences: 3),
        InjectedCall(names: ["getdents64"], occurrences: 4),
        InjectedCall(names: ["ftruncate"], occurrences: 1),
        InjectedCall(names: ["flock"], occurrences: 1),
    ]

    /// Whether the store may not get along without the call: a sync at all, and a write unless only room is lacking,
    /// which zeros ahead of what is written may lack.
    func mustBeReported(_ fault: InjectedFault) -> Bool {
        ["fdatasync", "fsync"].contains(name) || name == "pwrite64" && fault == .ioError
    }

    /// A command that runs the given one with the fault.
    func tracing(
        _ occurrence: Int, _ fault: InjectedFault, of command: [String], directory: String, log: String
    ) -> [String] {
        let set = names.map { "?\($0)" }.joined(separator: ",")
        var words = [
            "strace", "-f", "--seccomp-bpf", "-qq", "-o", log, "-e", "trace=\(set)", "-e",
            "inject=\(set):\(fault.rawValue):when=\(occurrence)",
        ]
        guard isUsedByLoader else { return words + command }
        var paths = ["", "/LOCK"]
        for number in 0...20 {
            let digits = String(number)
            let name = String(repeating: "0", count: 12 - digits.count) + digits
            for kind in ["journal", "snapshot"] {
                for end in ["", ".new"] { paths.append("/\(kind)-\(name).log\(end)") }
            }
        }
        for path in paths { words += ["-P", directory + path] }
        return words + command
    }
}
