// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What a test finds out while a store syncs.
final class Box<Value: Sendable>: Sendable {
    private let content: Mutex<Value>

    var value: Value {
        get { content.withLock { $0 } }
        set { content.withLock { $0 = newValue } }
    }

    init(_ value: Value) { content = Mutex(value) }
}
