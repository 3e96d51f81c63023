// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Runs an operation to its end even if the calling task is cancelled meanwhile.
///
/// For the few things that must not stop half-way, such as settling what has already happened or undoing it. The
/// operation runs in a task of its own that inherits priority and task-local values but not cancellation; the caller
/// owns it and waits for its end, so it never outlives the call. It costs a task (about a microsecond and four
/// allocations), so stores whose writes ignore cancellation by themselves need no shield.
///
/// This file is one of the two places in the package that start an unstructured task.
package func shielded<Success: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Success
) async throws -> Success {
    try await Task { try await operation() }.value
}
