// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// Who writes and syncs what callers change in a file store.
///
/// The promises of the store are the same, and callers at the same time share syncs either way.
public enum FileCommitter: Hashable, Sendable {
    /// A thread of the store's own. A call suspends until that thread has written and synced for it and for all others
    /// that came meanwhile, so no task's thread ever waits for the disk.
    case ownThread
    /// The caller itself, if the store is idle: the call writes and syncs before it returns, without suspending. That
    /// saves two switches of threads, which may cost as much as the sync.
    ///
    /// A call that finds another one writing suspends, and the store's own thread then writes what has gathered; so
    /// nobody writes again and again for others. That thread also does everything else: it makes room, begins journals,
    /// writes snapshots, writes what a purge frees, syncs when an interval ends and tells the events.
    ///
    /// The price is the caller's thread, which a write and a sync block for as long as the disk takes. Usually that is
    /// one of the few threads on which all tasks of a process run, or that of the actor that calls. Those who come
    /// meanwhile wait for that thread, whatever its priority is, and some systems slow the disk down for background
    /// work. So this is for services with few concurrent callers and a fast disk, or with a `TaskExecutor` of their own
    /// for these calls; not for many callers, disks that may stall, the main actor, or tasks of background priority.
    case caller
}
