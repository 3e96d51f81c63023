// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

@testable import Idempotency
import Testing

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
            Fingerprint { $0.field("a", "1b2") },
            Fingerprint { $0.field("ab", "12") },
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
    }

    /// Stored fingerprints are compared with ones of later versions, so this one must never change.
    @Test func `version 1 stays what it is`() {
        let fingerprint = Fingerprint {
            $0.field("currency", "EUR")
            $0.field("amount", 100)
        }
        #expect(fingerprint.description == "v1:sha256:d545d2aafefb1159fff860748e4187b2e76f4aa89986485c5d44b4ec347e1b40")
        #expect(Fingerprint(digest: fingerprint.digest) == fingerprint)
    }

    @Test func `an error while the fields are gathered comes out`() {
        #expect(throws: Unexpected.self) {
            try Fingerprint { (_: inout Fingerprint.Fields) throws(Unexpected) in throw Unexpected() }
        }
    }
}
