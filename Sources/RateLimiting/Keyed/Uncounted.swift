// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A reference that is not counted, to an object that whoever has this keeps alive.
///
/// For calls that would otherwise pay for two atomic operations to keep alive what cannot go away.
@safe
struct Uncounted<Object: AnyObject & Sendable>: Sendable {
    private let reference: Unmanaged<Object>

    init(_ object: Object) { unsafe reference = .passUnretained(object) }

    @inline(__always)
    func use<Result>(_ body: (Object) -> Result) -> Result { unsafe reference._withUnsafeGuaranteedRef(body) }
}
