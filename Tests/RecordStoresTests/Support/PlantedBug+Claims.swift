// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting

extension PlantedBug {
    static let claims = [
        PlantedBug(
            "heads are overtaken", foundBy: "of an order key only the record with the lowest position is handed out",
            "a head blocks its key while it is held, delayed or never due",
            "a claim by name gets the head and is refused the rest"
        ) { store, _ in
            store.altersChange = { change in
                change.with { content in
                    content.headers["order"] = content.orderKey
                    content.orderKey = nil
                }
            }
            store.altersRecord = { record, _ in
                var record = record
                record.orderKey = record.headers.removeValue(forKey: "order")
                return record
            }
        },
        PlantedBug(
            "a lease does not last", foundBy: "a live lease refuses every claim until its very end",
            "of many claims of one record exactly one succeeds"
        ) { store, _ in
            store.claims = { base, request async throws(StoreError) in
                var request = request
                request.lease.duration = .zero
                return try await base.claim(request)
            }
        },
        PlantedBug(
            "a record is due a nanosecond early",
            foundBy: "a record is handed out at its due time and not a nanosecond earlier"
        ) { store, _ in
            store.altersChange = { change in
                change.with { content in
                    if case .after(let delay) = content.due { content.due = .after(delay - .nanoseconds(1)) }
                }
            }
        },
        PlantedBug(
            "only the first handing out is counted",
            foundBy: "the end of a lease makes a record due again, and every handing out counts"
        ) { store, _ in
            store.altersRecord = { record, _ in
                var record = record
                record.claims = min(1, record.claims)
                return record
            }
        },
        PlantedBug(
            "the oldest record is handed out first, not the longest due",
            foundBy: "the longest due is handed out first, at one time the lowest position, and no more than the limit"
        ) { store, _ in
            store.claims = { base, request async throws(StoreError) in
                let answer = try await base.claim(request)
                return ClaimAnswer(
                    now: answer.now, claimed: answer.claimed.sorted { $0.position < $1.position },
                    standing: answer.standing, nextDueIn: answer.nextDueIn)
            }
        },
        PlantedBug(
            "nothing wakes a waiting claim but the clock",
            foundBy: "a waiting claim is woken by the commit that makes a record due",
            "of two waiting claims exactly one gets the one record",
            "closing ends the claims that wait",
            showsInHistories: false
        ) { store, clock in
            store.claims = { base, request async throws(StoreError) in
                var request = request
                let wait = request.waitUpTo
                request.waitUpTo = .zero
                let answer = try await base.claim(request)
                guard answer.claimed.isEmpty, wait > .zero else { return answer }
                try? await clock.sleep(for: wait)
                return try await base.claim(request)
            }
        },
    ]

    static let contents = [
        PlantedBug(
            "what has expired still shows", foundBy: "an expired record is absent to every operation",
            "an insert over an expired record makes a new one with a higher fence",
            "the expiry of the head promotes the next"
        ) { store, _ in
            store.altersChange = { change in change.with { $0.expires = .never } }
        },
        PlantedBug("held records expire", foundBy: "a held record never expires") { store, _ in
            store.altersRecord = { record, now in
                record.expiresAt.map { $0 <= now } ?? false ? nil : record
            }
        },
        PlantedBug(
            "statistics count what has expired since the last change",
            foundBy: "statistics leave out what has expired since the last change",
            "an expired record is absent to every operation"
        ) { store, _ in CachedStatistics().cache(&store) },
        PlantedBug(
            "long bodies are cut", foundBy: "what is at a limit is taken and comes back unchanged",
            "the bodies and headers of a batch have a limit together",
            showsInHistories: false
        ) { store, _ in
            store.altersChange = { change in
                change.with { content in
                    if content.body.count <= RecordLimits.body.upperBound {
                        content.body = Array(content.body.prefix(65_536))
                    }
                }
            }
        },
        PlantedBug(
            "letters are composed", foundBy: "names are told apart by their bytes", showsInHistories: false
        ) { store, _ in
            store.altersChange = { change in
                let key = change.id.key == "e\u{301}" ? "\u{E9}" : change.id.key
                return change.with(id: RecordID(change.id.collection, key))
            }
        },
    ]
}
