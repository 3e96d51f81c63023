// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Idempotency
import Testing

private let longest = String(repeating: "k", count: 255)

/// What both syntaxes take, and the key.
private let strings = [
    (#""8e03978e-40d5-43e8-bc93-6894a57f9324""#, "8e03978e-40d5-43e8-bc93-6894a57f9324"),
    (#""a""#, "a"), (#"  "a"  "#, "a"), ("\t\"a\"\t", "a"),
    (#"" ""#, " "), (#""a b,c;d=e:~!""#, "a b,c;d=e:~!"),
    (#""\"""#, "\""), (#""\\""#, "\\"), (#""\\\"\\""#, "\\\"\\"),
    ("\"\(longest)\"", longest), ("\"\(longest.dropLast())\\\\\"", longest.dropLast() + "\\"),
    // Parameters are checked and mean nothing.
    (#""a";x"#, "a"), (#""a";x;y"#, "a"), (#""a"; x=1;  *y-_.*2=?0"#, "a"), (#""a";x="b\";""#, "a"),
    (#""a";x=-1.5"#, "a"), (#""a";x=999999999999999"#, "a"), (#""a";x=999999999999.999"#, "a"),
    (#""a";x=token"#, "a"), (#""a";x=*t/o:k!#$%&'*+-.^_`|~"#, "a"), (#""a";x=?1;y=@-1659578233"#, "a"),
    (#""a";x=:cHJldGVuZA==:"#, "a"), (#""a";x=::"#, "a"), (#""a";x=:YQ:"#, "a"),
    (#""a";x=%"f%c3%bc""#, "a"), (#""a";x=%"""#, "a"),
]

/// What the bare syntax takes besides.
private let bare = [
    ("abc", "abc"), (" 8e03978e-40d5-43e8-bc93-6894a57f9324 ", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
    ("a=b/c+d==", "a=b/c+d=="), ("?1", "?1"), (":YQ==:", ":YQ==:"), ("!~'(){}[]<>@", "!~'(){}[]<>@"),
    (longest, longest),
]

private let refused: [(String, IdempotencyKeyFieldRefused)] = [
    (#""a"#, .unterminated), (#"""#, .unterminated), (#""a\""#, .unterminated), (#""a\"#, .escape(at: 2)),
    (#""a\n""#, .escape(at: 2)), (#" "\x""#, .escape(at: 2)),
    ("\"a\tb\"", .character(0x09, at: 2)), ("\"a\u{7F}\"", .character(0x7F, at: 2)), ("\"é\"", .character(0xC3, at: 1)),
    ("\"\0\"", .character(0, at: 1)), ("\"a\r\nb\"", .character(0x0D, at: 2)),
    (#""""#, .size(size(0))), ("\"\(longest)k\"", .size(size(256))),
    (#""a", "b""#, .list(at: 3)), (#""a","a""#, .list(at: 3)), (#""a" , "b""#, .list(at: 4)),
    (#""a";x=1,"b""#, .list(at: 7)),
    (#""a","#, .list(at: 3)),
    (#""a"b"#, .parameters(at: 3)), (#""a" "b""#, .parameters(at: 4)), (#""a" ;x"#, .parameters(at: 4)),
    (#""a";"#, .parameters(at: 4)), (#""a";X=1"#, .parameters(at: 4)), (#""a";1=1"#, .parameters(at: 4)),
    (#""a";x="#, .parameters(at: 6)), (#""a";x= 1"#, .parameters(at: 6)), (#""a";x=1x"#, .parameters(at: 7)),
    (#""a";x=-"#, .parameters(at: 7)), (#""a";x=1."#, .parameters(at: 8)), (#""a";x=1.2345"#, .parameters(at: 12)),
    (#""a";x=1234567890123456"#, .parameters(at: 22)), (#""a";x=1234567890123.1"#, .parameters(at: 19)),
    (#""a";x=?2"#, .parameters(at: 7)), (#""a";x=@1.5"#, .parameters(at: 8)), (#""a";x=@"#, .parameters(at: 7)),
    (#""a";x=:Y:"#, .parameters(at: 8)), (#""a";x=:YQ===:"#, .parameters(at: 12)),
    (#""a";x=:YQ=:"#, .parameters(at: 10)),
    (#""a";x=:YQ"#, .parameters(at: 9)), (#""a";x=:Y Q=:"#, .parameters(at: 8)),
    (#""a";x="b"#, .parameters(at: 8)), (#""a";x=%a"#, .parameters(at: 7)), (#""a";x=%"%C3%bc""#, .parameters(at: 9)),
    (#""a";x=%"%c3""#, .parameters(at: 12)), (#""a";x=%"a"#, .parameters(at: 9)), (#""a";x=%"%"#, .parameters(at: 9)),
    (#""a";x=("#, .parameters(at: 6)),
]

private let refusedAsBare: [(String, IdempotencyKeyFieldRefused)] = [
    ("a,b", .list(at: 1)), ("a;b", .character(0x3B, at: 1)), ("a\"", .character(0x22, at: 1)),
    ("a\\b", .character(0x5C, at: 1)), ("a b", .character(0x20, at: 1)), (" a\0", .character(0, at: 2)),
    ("é", .character(0xC3, at: 0)), (longest + "k", .size(size(256))),
]

private func size(_ size: Int) -> RefusedInput { RefusedInput(field: "Idempotency-Key", size: size, allowed: 1...255) }

@Suite struct IdempotencyKeySyntaxTests {
    @Test(arguments: strings)
    func `a string in quotes is taken with and without parameters`(line: String, key: String) throws {
        #expect(try IdempotencyKeySyntax.string.parse([line]) == key)
        #expect(try IdempotencyKeySyntax.stringOrBare.parse([line]) == key)
        #expect(try IdempotencyKey(tenant: "t", operation: "o", key: key).key == key)
    }

    @Test(arguments: bare)
    func `a bare key is taken where that is allowed`(line: String, key: String) throws {
        #expect(try IdempotencyKeySyntax.stringOrBare.parse([line]) == key)
        #expect(throws: IdempotencyKeyFieldRefused.notAString) { try IdempotencyKeySyntax.string.parse([line]) }
    }

    @Test(arguments: refused)
    func `everything else is refused with the reason`(line: String, reason: IdempotencyKeyFieldRefused) {
        #expect(throws: reason) { try IdempotencyKeySyntax.string.parse([line]) }
        #expect(throws: reason) { try IdempotencyKeySyntax.stringOrBare.parse([line]) }
        #expect(!reason.description.isEmpty)
    }

    @Test(arguments: refusedAsBare)
    func `a bare key has no characters that mean something`(line: String, reason: IdempotencyKeyFieldRefused) {
        #expect(throws: reason) { try IdempotencyKeySyntax.stringOrBare.parse([line]) }
        #expect(throws: IdempotencyKeyFieldRefused.notAString) { try IdempotencyKeySyntax.string.parse([line]) }
    }

    @Test(arguments: [IdempotencyKeySyntax.string, .stringOrBare])
    func `no line, an empty one and several are refused`(syntax: IdempotencyKeySyntax) {
        #expect(throws: IdempotencyKeyFieldRefused.missing) { try syntax.parse([]) }
        #expect(throws: IdempotencyKeyFieldRefused.notAString) { try syntax.parse([""]) }
        #expect(throws: IdempotencyKeyFieldRefused.notAString) { try syntax.parse([" "]) }
        #expect(throws: IdempotencyKeyFieldRefused.repeated(lines: 2)) { try syntax.parse(["\"a\"", "\"a\""]) }
        #expect(throws: IdempotencyKeyFieldRefused.repeated(lines: 3)) { try syntax.parse(["\"a\"", "", "x"]) }
    }

    @Test func `no bytes make the parser fail in another way`() {
        var generator = RandomSource.seeded(7)
        let alphabet = Array("\"\"\\;=x1-.:?@%, *aAé\0".unicodeScalars)
        for _ in 0..<20_000 {
            var text = String.UnicodeScalarView([alphabet[0]])
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                if let scalar = alphabet.randomElement(using: &generator) { text.append(scalar) }
            }
            let line = String(text)
            guard let key = try? IdempotencyKeySyntax.string.parse([line]) else { continue }
            #expect((1...255).contains(key.utf8.count) && key.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(line)")
        }
    }
}
