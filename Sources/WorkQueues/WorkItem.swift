// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An item as its handler sees it.
public struct WorkItem: Hashable, Sendable {
    /// The item's name, the same in every delivery and after every redrive.
    public let id: String
    /// What the item carries.
    public let payload: [UInt8]
    /// Opaque pairs that travel with it.
    public let headers: [String: String]
    /// Items of the same order key are handed out one at a time, in the order of their positions.
    public let orderKey: String?
    /// Its place among all items, for as long as it exists.
    public let position: UInt64
    /// When it was put, in the store's time.
    public let enqueuedAt: Timestamp
    /// Which delivery to a handler this is, counted from 1 over everything, redrives included. Above 1, an earlier one
    /// may have taken effect.
    public let delivery: Int
    /// How often it has failed since it was put or redriven.
    public let failures: Int
    /// How often since then a handler ended without a word: its process died, or its lease passed.
    public let crashes: Int
    /// How often it came back from the dead letters.
    public let redriveCount: Int
    /// The failures so far: the first one, the last nine, and how many there were.
    public let history: FailureHistory
}
