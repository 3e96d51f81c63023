// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import tenant_limits

@Suite struct LineBufferTests {
    private static func lines(_ bytes: [UInt8], by size: Int) -> [LineBuffer.Line] {
        var (buffer, lines) = (LineBuffer(), [LineBuffer.Line]())
        for start in stride(from: 0, to: bytes.count, by: size) {
            buffer.append(Array(bytes[start..<min(start + size, bytes.count)]))
            while let line = buffer.next() { lines.append(line) }
        }
        if let line = buffer.last() { lines.append(line) }
        #expect(buffer.last() == nil)
        return lines
    }

    @Test(arguments: [1, 2, 3, 5, 100]) func `lines are the same in pieces of any size`(_ size: Int) {
        func expect(_ text: String, _ lines: [String]) {
            #expect(Self.lines(Array(text.utf8), by: size) == lines.map { .whole($0.line) })
        }
        expect("a\nbb\r\n\n\r\nc", ["a", "bb", "", "", "c"])
        expect("a\n", ["a"])
        expect("\r", [""])
        expect("", [])
    }

    @Test(arguments: [1_000, 65_536, 65_537, 1_000_000]) func `a line that is too long is let go`(_ size: Int) {
        let longest = Array(repeating: UInt8(ascii: "x"), count: LineBuffer.longest)
        let end: [UInt8] = [10]
        let lines = Self.lines(longest + end + longest + [120] + end + [97, 10] + longest + longest, by: size)
        #expect(lines == [.whole(longest[...]), .tooLong, .whole([97]), .tooLong])
        #expect(Self.lines(longest + [120], by: size) == [.tooLong])
    }
}
