// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import checkout

@Suite struct OrderReaderTests {
    @Test(
        arguments: [
            ("", []),
            ("\n", [.whole([])]),
            ("ab", [.whole([97, 98])]),
            ("ab\n", [.whole([97, 98])]),
            ("a\r\nb\r", [.whole([97]), .whole([98])]),
            ("a\n\nb\n", [.whole([97]), .whole([]), .whole([98])]),
            (
                String(repeating: "x", count: 301) + "\ny",
                [.oversized(prefix: Array(repeating: 120, count: 256), size: 301), .whole([121])]
            ),
            (String(repeating: "x", count: 300) + "\n", [.whole(Array(repeating: 120, count: 300))]),
            (
                String(repeating: "x", count: 5_000),
                [.oversized(prefix: Array(repeating: 120, count: 256), size: 5_000)]
            ),
        ] as [(String, [LineSplitter.Line])])
    func `the lines are the same however the stream is cut`(text: String, expected: [LineSplitter.Line]) {
        let bytes = Array(text.utf8)
        for piece in [1, 2, 3, 7, 255, 256, 257, 300, 10_000] {
            var splitter = LineSplitter(limit: 300)
            var lines: [LineSplitter.Line] = []
            for start in stride(from: 0, to: bytes.count, by: piece) {
                splitter.append(Array(bytes[start..<min(start + piece, bytes.count)]))
                while let line = splitter.next() { lines.append(line) }
            }
            if let last = splitter.finish() { lines.append(last) }
            #expect(lines == expected, "in pieces of \(piece)")
        }
    }

    @Test func `a bad line is reported with its number and the rest goes on`() throws {
        let order = OrderTests.good
        let long = Array(repeating: UInt8(ascii: "z"), count: OrderReader.lineLimit + 1)
        let text: [[UInt8]] = [
            OrderGenerator.json(order), Array(" \t".utf8), Array("nope".utf8), long, [0xC3], OrderGenerator.json(order),
        ]
        let lines = try Self.read(Array(text.joined(separator: [10])))
        let prefix = Array(long.prefix(256))
        #expect(
            lines == [
                .order(order, line: 1),
                .malformed(MalformedLine(line: 3, problem: .notJSON, beginning: Array("nope".utf8), size: 4)),
                .malformed(
                    MalformedLine(
                        line: 4, problem: .lineTooLong(bytes: 16_385, limit: 16_384), beginning: prefix, size: 16_385)),
                .malformed(MalformedLine(line: 5, problem: .notUTF8, beginning: [0xC3], size: 1)),
                .order(order, line: 6),
            ])
        #expect(try Self.read([]) == [])
        #expect(
            MalformedLine(line: 7, problem: .notJSON, beginning: [], size: 0).description
                == "line 7: the line is not JSON")
    }

    @Test func `an input that cannot be read is one line with its path`() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let missing = directory.path + "/none"
        #expect(
            throws: Failure("cannot read orders: \(missing): No such file or directory", exitCode: .cannotStart)
        ) { _ = try OrderReader(.file(missing)) }
        #expect(
            throws: Failure("cannot read orders: \(directory.path): Is a directory", exitCode: .cannotStart)
        ) { _ = try OrderReader(.file(directory.path)).next() }
    }

    @Test(arguments: [("/a/b/c", "/a/b"), ("/a", "/"), ("/", nil), ("a/b", nil), ("", nil)])
    func `the directory above a path is its beginning`(path: String, above: String?) {
        #expect(OrderInput.ancestor(of: path) == above)
    }

    private static func read(_ bytes: [UInt8]) throws -> [OrderLine] {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/orders.jsonl"
        try writeFile(path, bytes)
        let reader = try OrderReader(.file(path))
        var lines: [OrderLine] = []
        while let line = try reader.next() { lines.append(line) }
        return lines
    }
}
