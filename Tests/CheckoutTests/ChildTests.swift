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

@Suite struct ChildTests {
    private static func shell(_ script: String) throws -> Child {
        try Child(executable: "/bin/sh", arguments: ["-c", script])
    }

    @Test(arguments: [
        ("", [], Child.Exit.status(0)),
        ("exit 3", [], .status(3)),
        ("echo one; echo two", ["one", "two"], .status(0)),
        ("printf unfinished; exit 64", ["unfinished"], .status(64)),
        ("echo here; kill -TERM $$", ["here"], .signal(SIGTERM)),
        ("read line; echo $line at the end", ["at the end"], .status(0)),
    ])
    func `a child's lines come in order, then how it ended`(script: String, lines: [String], exit: Child.Exit) throws {
        let child = try Self.shell(script)
        child.closeInput()
        var read: [String] = []
        while case .line(let line) = try child.nextLine(timeout: .seconds(60)) { read.append(line) }
        #expect(read == lines)
        #expect(try child.nextLine(timeout: .seconds(60)) == .ended)
        #expect(child.wait() == exit)
        #expect(child.wait() == exit)
    }

    @Test func `a child that says nothing times out, and is ended by a kill`() throws {
        let child = try Self.shell("read line; echo woken")
        #expect(try child.nextLine(timeout: .zero) == .timedOut)
        child.kill()
        #expect(child.wait() == .signal(SIGKILL))
        #expect(try child.nextLine(timeout: .seconds(60)) == .ended)
        child.kill()
    }

    @Test func `a child that nobody holds any more is gone without a trace`() throws {
        var child: Child? = try Self.shell("read line")
        let identifier = try #require(child?.identifier)
        #expect(kill(identifier, 0) == 0)
        child = nil
        #expect(kill(identifier, 0) == -1 && errno == ESRCH)
    }

    @Test func `a child inherits nothing that is opened here`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let file = try Descriptor.open(directory.path + "/file", O_RDWR | O_CREAT)
        let listener = try UnixSocket.listen(at: directory.path + "/socket")
        let connection = try UnixSocket.connect(to: directory.path + "/socket", timeout: .seconds(60))
        guard let accepted = UnixSocket.accept(from: listener) else {
            Issue.record("the listener has no connection")
            return
        }
        let (one, other) = try UnixSocket.pair()
        let ours = [file.raw, listener.raw, connection.raw, accepted.raw, one, other].map { raw in
            var status = stat()
            unsafe fstat(raw, &status)
            return status.st_ino
        }
        let child = try Self.shell("ls -iLd /dev/fd/* 2>/dev/null")
        var inherited: [String] = []
        while case .line(let line) = try child.nextLine(timeout: .seconds(60)) {
            inherited += line.split(separator: " ").prefix(1).map(String.init)
        }
        // Standard input, output and error at least, so it is known that the list was read.
        #expect(inherited.count >= 3)
        #expect(ours.count == 6 && ours.allSatisfy { !inherited.contains(String($0)) })
        for raw in [one, other] { _ = close(raw) }
    }

    @Test func `a program that cannot be started is an error`() {
        #expect(throws: SystemError(call: "posix_spawn", code: ENOENT)) {
            _ = try Child(executable: "/nowhere/program", arguments: [])
        }
    }

    @Test func `the end of the parent is noticed, and what came before is dropped`() async throws {
        let (ours, theirs) = try UnixSocket.pair()
        try Descriptor.write(ours, Array("words".utf8))
        let noticed = AsyncStream<Void>.makeStream()
        try ParentWatch.start(theirs) { noticed.continuation.finish() }
        _ = close(ours)
        for await _ in noticed.stream {}
        _ = close(theirs)
    }
}
