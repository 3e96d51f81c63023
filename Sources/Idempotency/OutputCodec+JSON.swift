// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

extension OutputCodec where Output: Codable {
    /// JSON, with the settings that a `JSONEncoder` and a `JSONDecoder` have when they are made.
    public static var json: OutputCodec {
        OutputCodec(
            encode: { [UInt8](try JSONEncoder().encode($0)) },
            decode: { try JSONDecoder().decode(Output.self, from: Data($0)) })
    }
}
