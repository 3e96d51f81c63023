// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import Testing

/// A key whose secret is the bytes from `start` on.
func testKey(_ id: String, from start: UInt8 = 0) throws -> FingerprintKey {
    try FingerprintKey(id: id, secret: Array(start..<start + 32))
}

private func order(_ fields: inout Fingerprint.Fields) {
    fields.field("currency", "EUR")
    fields.field("amount", 100)
}

@Suite struct FingerprintTests {
    @Test func `the order of the fields does not matter, and their names, values and bounds do`() {
        let one = Fingerprint {
            $0.field("a", 1)
            $0.field("b", "2")
        }
        let other = Fingerprint {
            $0.field("b", [UInt8(ascii: "2")])
            $0.field("a", "1")
        }
        #expect(one == other)
        let different: [Fingerprint] = [
            one,
            Fingerprint { _ in },
            Fingerprint { $0.field("a", "") },
            Fingerprint { $0.field("a", 1) },
            Fingerprint { $0.field("a", true) },
            Fingerprint { $0.field("a", false) },
            Fingerprint { $0.field("a", 0) },
            Fingerprint { $0.field("a", [0]) },
            Fingerprint { $0.field("a", "1b2") },
            Fingerprint { $0.field("ab", "12") },
            Fingerprint { $0.field("ab", "c") },
            Fingerprint { $0.field("a", "bc") },
            Fingerprint { $0.field("e\u{301}", "") },
            Fingerprint { $0.field("\u{E9}", "") },
            Fingerprint {
                $0.field("a", "2")
                $0.field("b", "1")
            },
            Fingerprint {
                $0.field("a", 1)
                $0.field("b", 22)
            },
        ]
        #expect(Set(different).count == different.count)
        #expect(Set(different.map(\.stored)).count == different.count)
    }

    /// Stored fingerprints are compared with ones of later versions, so this one must never change.
    @Test func `version 1 stays what it is`() throws {
        let digest = "d545d2aafefb1159fff860748e4187b2e76f4aa89986485c5d44b4ec347e1b40"
        #expect(Fingerprint(order).description == "v1:sha256:\(digest)")
        let code = "8fea0b29a6c88a1d8bffd96f5a1e211e5c26091a5dc16aa93ed7e39b8657137c"
        #expect(
            Fingerprint(keys: [try testKey("k 1".replacing(" ", with: "-"))], order).description
                == "v1:hmac-sha256:k-1:\(code)")
        #expect(Fingerprint.none.description == "none")
        // Three bytes of length before the value.
        let long = Fingerprint { $0.field("body", String(repeating: "x", count: 20_000)) }
        #expect(long.description == "v1:sha256:894c74524d0af28d73a7a10df819aa187636b6d12ac49f46fa6dc445d5b253b4")
        #expect(long == Fingerprint { $0.field("body", [UInt8](repeating: 0x78, count: 20_000)) })
    }

    @Test func `what can be compared is the same or different, and all else is neither`() throws {
        let (old, new, sameName) = try (testKey("old"), testKey("new", from: 1), testKey("old", from: 1))
        let later = try #require(StoredFingerprint("v2:sha3:00"))
        let plain = Fingerprint(order).stored
        let (byOld, byNew) = (Fingerprint(keys: [old], order).stored, Fingerprint(keys: [new], order).stored)
        let rows: [(Fingerprint, StoredFingerprint, FingerprintComparison)] = [
            (Fingerprint(order), plain, .same),
            (Fingerprint { _ in }, plain, .different),
            (Fingerprint(keys: [old], order), byOld, .same),
            (Fingerprint(keys: [old]) { _ in }, byOld, .different),
            // The same secret under another name, and another secret under the same name.
            (Fingerprint(keys: [try testKey("other")], order), byOld, .incomparable),
            (Fingerprint(keys: [sameName], order), byOld, .different),
            // Rotation: first everyone can compare the new key's, then everyone makes them, then the old key goes.
            (Fingerprint(keys: [old, new], order), byOld, .same),
            (Fingerprint(keys: [old, new], order), byNew, .same),
            (Fingerprint(keys: [new, old], order), byOld, .same),
            (Fingerprint(keys: [new, old]) { _ in }, byOld, .different),
            (Fingerprint(keys: [new, old]) { _ in }, byNew, .different),
            (Fingerprint(keys: [new], order), byOld, .incomparable),
            // Keys are introduced and given up in the same way.
            (Fingerprint(order), byOld, .incomparable),
            (Fingerprint(keys: [old], order), plain, .incomparable),
            (Fingerprint(keys: [.unkeyed, old], order), byOld, .same),
            (Fingerprint(keys: [old, .unkeyed], order), plain, .same),
            (Fingerprint(keys: [old, .unkeyed]) { _ in }, plain, .different),
            // No fingerprint says something of no fingerprint alone.
            (.none, Fingerprint.none.stored, .same),
            (.none, plain, .incomparable),
            (.none, byOld, .incomparable),
            (Fingerprint(order), Fingerprint.none.stored, .incomparable),
            (Fingerprint(keys: [old, .unkeyed], order), Fingerprint.none.stored, .incomparable),
            // Nor does any of them say something of what a later version made.
            (Fingerprint(order), later, .incomparable),
            (Fingerprint(keys: [old, .unkeyed], order), later, .incomparable),
            (.none, later, .incomparable),
        ]
        for (index, (fingerprint, stored, expected)) in rows.enumerated() {
            #expect(fingerprint.compared(to: stored) == expected, "row \(index)")
        }
        #expect(Fingerprint(keys: [old, new], order).stored == byOld)
        #expect(Fingerprint(keys: [.unkeyed, old], order).stored == plain)
    }

    @Test func `an error while the fields are gathered comes out`() {
        #expect(throws: Unexpected.self) {
            try Fingerprint { (_: inout Fingerprint.Fields) throws(Unexpected) in throw Unexpected() }
        }
    }

    @Test func `keys and fields that code gives twice, or no keys at all, end the process`() async {
        await #expect(processExitsWith: .failure) { _ = Fingerprint(keys: []) { _ in } }
        await #expect(processExitsWith: .failure) {
            _ = Fingerprint(keys: [try testKey("a"), try testKey("a", from: 1)]) { _ in }
        }
        await #expect(processExitsWith: .failure) { _ = Fingerprint(keys: [.unkeyed, .unkeyed]) { _ in } }
        await #expect(processExitsWith: .failure) {
            _ = Fingerprint {
                $0.field("a", 1)
                $0.field("b", 1)
                $0.field("a", 2)
            }
        }
    }
}
