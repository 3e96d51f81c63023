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

/// Shows on standard error how far the work is: one line that changes on a terminal, a line for every tenth elsewhere.
struct Progress {
    private let total: Int
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var finished = 0
    private var shownTenths = 0
    private var crashes = 0

    init(total: Int) { self.total = total }

    mutating func show(finished number: Int? = nil, crashes: Int) {
        finished = max(finished, number ?? 0)
        self.crashes = crashes
        let tenths = total == 0 ? 10 : finished * 10 / total
        guard isTerminal || tenths > shownTenths else { return }
        shownTenths = max(shownTenths, tenths)
        write(isTerminal ? "\r\(text)" : "\(text)\n")
    }

    /// Ends the line on a terminal.
    func end() {
        if isTerminal { write("\n") }
    }

    private var text: String {
        "\(finished) of \(total) lines" + (crashes > 0 ? ", \(crashes) crashes" : "")
    }

    private func write(_ text: String) {
        // Progress that nobody can see is no reason to stop.
        try? Descriptor.write(STDERR_FILENO, Array(text.utf8))
    }
}
