// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

@main
enum RetryChain {
    static func main() {
        guard CommandLine.arguments.count == 1 else { fail("unknown argument \(CommandLine.arguments[1])") }
        do {
            try lines { print($0) }
        } catch {
            fail("\(error)")
        }
    }

    /// Runs the whole story on virtual time.
    static func lines(_ tell: @escaping @Sendable (String) -> Void) throws {
        let time = VirtualTime()
        try time.run { try await Chain(clock: time.clock, tell: tell).run() }
    }

    private static func fail(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("retry-chain: \(reason)\n".utf8))
        exit(1)
    }
}
