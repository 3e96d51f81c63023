// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Carries out a claim that may wait: looks, and as long as nothing is due sleeps until the next due time, a commit to
/// the collection, or the end of the wait, whichever is first.
func waitingClaim(
    _ request: ClaimRequest, time: TimeSource, bell: CommitBell,
    look: () async throws(StoreError) -> ClaimAnswer
) async throws(StoreError) -> ClaimAnswer {
    guard case .due(let collection, _) = request.selection, request.waitUpTo > .zero else { return try await look() }
    bell.enter()
    defer { bell.leave() }
    let end = time.now().addingSaturating(request.waitUpTo.nanosecondsRoundedUp)
    while true {
        let rings = bell.rings(for: collection)
        let answer = try await look()
        let now = time.now()
        guard answer.claimed.isEmpty, now < end, !Task.isCancelled else { return answer }
        let nextDue = answer.nextDueIn.map { now.addingSaturating($0.nanosecondsRoundedUp) } ?? end
        await sleepOrRing(until: min(end, nextDue), for: collection, since: rings, time: time, bell: bell)
    }
}

private func sleepOrRing(
    until deadline: Int64, for collection: String, since rings: Int, time: TimeSource, bell: CommitBell
) async {
    await withTaskGroup(of: Void.self) { group in
        // The only error of a sleep is its cancellation, which the caller sees for itself.
        group.addTask { try? await time.sleep(until: deadline) }
        group.addTask { await bell.wait(for: collection, since: rings) }
        await group.next()
        group.cancelAll()
    }
}
