// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An error as bounded text, for records that outlive the process in which it was thrown.
///
/// Text is for people and queries. It may hold whatever the error's description holds, so an error whose description
/// shows personal data or secrets must not be stored through it.
package struct ErrorText: Hashable, Sendable {
    /// Bytes of a type name that are kept.
    package static let typeLimit = 256
    /// Bytes of a message that are kept.
    package static let messageLimit = 1_024

    package let type: String
    package let message: String

    package init(_ error: any Error) {
        self.init(type: String(reflecting: Swift.type(of: error)), message: String(describing: error))
    }

    package init(type: String, message: String) {
        self.type = type.prefix(bytes: Self.typeLimit)
        self.message = message.prefix(bytes: Self.messageLimit)
    }
}

extension String {
    /// The longest start of whole characters that takes at most `limit` bytes of UTF-8.
    package func prefix(bytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var (end, used) = (startIndex, 0)
        while end < endIndex {
            let next = index(after: end)
            used += self[end..<next].utf8.count
            if used > limit { break }
            end = next
        }
        return String(self[..<end])
    }
}
