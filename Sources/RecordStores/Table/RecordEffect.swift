// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What an operation did to a table, as a journal keeps it: replaying the effects in order gives the same table.
package enum RecordEffect: Hashable, Sendable {
    /// The record now stands so, whatever stood there before.
    case put(Record)
    /// The record was claimed, for the given time in its life; its content is as it was.
    case hold(RecordID, Fence, Holder, until: Timestamp, claims: Int)
    /// The hold on the record now ends then.
    case extend(RecordID, until: Timestamp)
    /// No record stands there any more.
    case remove(RecordID)
}
