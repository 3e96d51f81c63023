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

import Testing

@testable import checkout

/// The built program itself, where it lies beside the tests.
@Suite struct ExecutableTests {
    private static func program() throws -> String {
        let directory = try #require(OrderInput.ancestor(of: Executable.path))
        let program = directory + "/checkout"
        guard unsafe access(program, X_OK) == 0 else { try Test.cancel("the program is not beside the tests") }
        return program
    }

    private static func start(_ arguments: [String]) throws -> Child {
        try Child(executable: program(), arguments: arguments)
    }

    @Test(arguments: [("- <&-", Int32(2)), (">&-", 1), ("2>&-", 0)])
    func `a standard stream that is closed is no file of the run`(closed: String, status: Int32) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let orders = directory.path + "/some.jsonl"
        try writeFile(orders, Array("no order\n".utf8))
        let run = directory.path + "/run"
        let words = (closed.hasPrefix("-") ? "" : orders + " ") + closed
        let child = try Child(
            executable: "/bin/sh", arguments: ["-c", "\(try Self.program()) --directory \(run) \(words)"])
        while case .line = try child.nextLine(timeout: .seconds(60)) {}
        #expect(child.wait() == .status(status))
        // A run whose input cannot be read makes no directory.
        let hasLock = unsafe access(run + "/LOCK", F_OK) == 0
        #expect(hasLock == (status != 2))
        if hasLock { #expect(try readFile(run + "/LOCK").isEmpty) }
    }

    @Test(arguments: [
        (["provider-check"], 3, Child.Exit.status(0)),
        (["generate-orders", "--count", "7"], 7, .status(0)),
        (["provider", "--socket", "/nowhere/s", "--ledger", "/nowhere/l"], 0, .status(2)),
        (["provider"], 0, .status(64)),
        (["--help"], 28, .status(0)),
        (["/nowhere/orders.jsonl"], 0, .status(2)),
        (["--directory", "/nowhere/deeper"], 0, .status(2)),
        (["worker", "--directory", "/nowhere/deeper", "--socket", "s"], 0, .status(2)),
    ])
    func `a command writes its lines and ends with its code`(words: [String], lines: Int, exit: Child.Exit) throws {
        let child = try Self.start(words)
        var count = 0
        while case .line = try child.nextLine(timeout: .seconds(60)) { count += 1 }
        #expect(child.wait() == exit)
        #expect(count == lines)
    }

    @Test(arguments: [(true, 4), (false, 4), (true, 0)])
    func `orders come out right whatever the provider does and however often the worker is killed`(
        honoursKeys: Bool, crashes: Int
    ) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let orders = directory.path + "/some.jsonl"
        try Descriptor.open(orders, O_WRONLY | O_CREAT).write(OrderGenerator.lines(seed: 3, count: 120).flatMap { $0 })
        let words = [
            orders, "--directory", directory.path + "/run", "--crashes", String(crashes), "--honour-keys",
            String(honoursKeys), "--seed", "5",
        ]
        // The second run finds everything done and comes to the same table, but for what happened on the way.
        var tables: [[String]] = []
        for _ in 0..<2 {
            let child = try Self.start(words)
            var lines: [String] = []
            while case .line(let line) = try child.nextLine(timeout: .seconds(60)) { lines.append(line) }
            #expect(child.wait() == .status(0))
            tables.append(lines.filter { !$0.contains("crash") && !$0.contains("retried") })
        }
        #expect(tables[0] == tables[1])
        #expect(tables[0].count { $0.contains("(must be 0)") && $0.hasSuffix(" 0") } == 4)
        #expect(tables[0].first?.hasSuffix(" 120") == true)
    }

    @Test func `orders that are called like a line, broken lines before and after them, each have a letter`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let orders = directory.path + "/some.jsonl"
        func declined(_ id: String) throws -> [UInt8] {
            try JSON.line(
                Order(
                    id: id, customer: "c", sku: Stock.plentiful[0], quantity: 1, amountMinor: 1, currency: "EUR",
                    card: "tok_declined"))
        }
        try writeFile(orders, Array("no order\n".utf8) + declined("line-1") + declined("line-4") + Array("{\n".utf8))
        let child = try Self.start([orders, "--concurrency", "1"])
        var lines: [String] = []
        while case .line(let line) = try child.nextLine(timeout: .seconds(60)) { lines.append(line) }
        #expect(child.wait() == .status(0))
        #expect(lines.contains { $0.hasPrefix("dead letters") && $0.hasSuffix(" 4") })
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a run that is told to stop ends, and another one goes on from there`(signal: Int32) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let orders = directory.path + "/some.jsonl"
        try writeFile(orders, OrderGenerator.lines(seed: 4, count: 60).flatMap { $0 })
        let words = [orders, "--directory", directory.path + "/run"]
        let child = try Self.start(words + ["--rate", "1", "--concurrency", "1"])
        while unsafe access(directory.path + "/run/ledger.jsonl", F_OK) != 0 {
            #expect(try child.nextLine(timeout: .milliseconds(10)) == .timedOut)
        }
        kill(child.identifier, signal)
        #expect(child.wait() == .status(1))
        #expect(try Self.start(words).wait() == .status(0))
    }

    @Test func `a directory is used by one run at a time`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let lock = try Workplace(directory: directory.path).prepare()
        #expect(try Self.start(["--directory", directory.path]).wait() == .status(2))
        _ = consume lock
        // A process that another test is starting at this moment has a copy of the lock until its program runs.
        let end = ContinuousClock.now + .seconds(60)
        while true {
            do {
                _ = try Workplace(directory: directory.path).prepare()
                break
            } catch {
                guard "\(error)".contains("in use by another process"), ContinuousClock.now < end else { throw error }
                sched_yield()
            }
        }
    }

    #if os(Linux)
    @Test func `a run whose provider is gone ends, and leaves nobody behind`() throws {
        let child = try Self.start(["--rate", "20", "--concurrency", "1"])
        let path = "/proc/\(child.identifier)/task/\(child.identifier)/children"
        var children: [pid_t] = []
        // The provider is the first, and the worker is started when that listens.
        while children.count < 2 {
            #expect(try child.nextLine(timeout: .milliseconds(10)) == .timedOut)
            children = String(decoding: try readFile(path), as: UTF8.self).split(separator: " ").compactMap {
                pid_t($0)
            }
        }
        kill(children[0], SIGKILL)
        #expect(try child.nextLine(timeout: .seconds(60)) == .ended)
        #expect(child.wait() == .status(1))
        for process in children { #expect(kill(process, 0) != 0) }
    }
    #endif

    @Test func `a directory over other orders is refused and left as it is`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let orders = directory.path + "/orders.jsonl"
        try Descriptor.open(orders, O_WRONLY | O_CREAT).write(Array("{}".utf8))
        let child = try Self.start(["--directory", directory.path])
        #expect(child.wait() == .status(2))
        #expect(try OrderReader.bytes(of: .file(orders)) == Array("{}".utf8))
    }

    @Test(arguments: [SIGTERM, SIGINT, nil])
    func `a provider that is told to end, or loses its parent, leaves no socket`(signal: Int32?) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let socket = directory.path + "/socket"
        let child = try Self.start(["provider", "--socket", socket, "--ledger", directory.path + "/ledger"])
        #expect(try child.nextLine(timeout: .seconds(60)) == .line("ready"))
        if let signal { kill(child.identifier, signal) } else { child.closeInput() }
        #expect(child.wait() == .status(0))
        let left = unsafe access(socket, F_OK)
        #expect(left != 0)
    }
}
