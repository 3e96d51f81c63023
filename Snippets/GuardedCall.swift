// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Reliability

// snippet.hide
struct Mail: Sendable {
    var text: String
}

func send(_ mail: Mail) async throws {}
// snippet.show
let outgoing = Pipeline {
    Retry(maxAttempts: 4, within: .seconds(10), repeatability: .duplicatesAccepted)
    CircuitBreaker(name: "mail")
    TokenBucket(.perSecond(20), maximumWait: .seconds(2))
}

func deliver(_ mail: Mail) async throws {
    try await outgoing.run { try await send(mail) }
}
