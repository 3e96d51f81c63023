// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension RecordStore {
    /// Claims what is due in a collection, and waits for it until the signal to stop or cancellation; what the wait has
    /// found by then is claimed all the same.
    package func claimDue(
        in collection: String, limit: Int, lease: Duration, until stop: StopSignal
    ) async throws(StoreError) -> ClaimAnswer {
        let due = ClaimRequest.Selection.due(collection: collection, limit: limit)
        let answer = try await claim(ClaimRequest(due, lease: Lease(lease)))
        guard answer.claimed.isEmpty else { return answer }
        // The wait has no end of its own: whatever becomes due ends it.
        let waited = await stop.cancelling { () async -> Result<ClaimAnswer, StoreError> in
            do throws(StoreError) {
                return .success(try await claim(ClaimRequest(due, lease: Lease(lease), waitUpTo: .seconds(3_600))))
            } catch {
                return .failure(error)
            }
        }
        return try waited.get()
    }
}
