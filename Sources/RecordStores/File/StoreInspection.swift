// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What a store's directory holds, read without opening the store.
///
/// It is a picture of one moment: what the store does afterwards does not show in it.
///
/// ```swift
/// let inspection = try FileRecordStore.inspect(directory: "/var/lib/payments/records")
/// for collection in inspection.collections {
///     print(collection, inspection.statistics(of: collection).counts)
/// }
/// ```
public struct StoreInspection: Sendable {
    /// What reading the directory found.
    public let report: OpeningReport
    private let table: RecordTable

    fileprivate init(_ content: StoreFiles.Content, duration: Duration) {
        var table = content.table
        table.advance(to: .wallClock)
        self.table = table
        report = OpeningReport(
            lastEnd: content.lastEnd, framesReplayed: content.framesReplayed, records: table.count, duration: duration)
    }

    /// The names of the collections that have records, in alphabetical order.
    public var collections: [String] { table.collectionNames.sorted() }

    /// The records of those names, at most 1,000.
    public func read(_ ids: [RecordID]) throws(StoreError) -> ReadAnswer {
        var table = table
        return try table.read(ids, at: table.now)
    }

    /// A page of a collection by position, of one state if given; at most 1,000 records.
    public func scan(
        _ collection: String, state: String? = nil, after position: UInt64? = nil, limit: Int = 1_000
    ) throws(StoreError) -> ScanAnswer {
        var table = table
        return try table.scan(collection, state: state, after: position, limit: limit, at: table.now)
    }

    /// Counts by state and the oldest records of a collection.
    public func statistics(of collection: String) -> CollectionStatistics {
        var table = table
        return table.statistics(of: collection, at: table.now)
    }
}

extension FileRecordStore {
    /// Reads a store's directory without a lock and without changing anything, also while a process has it open.
    ///
    /// Of a store that is open it shows what is written, of which the last may not have been acknowledged yet. It reads
    /// all files, and needs as much memory as the store.
    ///
    /// - Throws: ``FileStoreError`` as opening does, except that nobody is in the way.
    public static func inspect(directory: String) throws(FileStoreError) -> StoreInspection {
        try inspect(directory: directory, fileSystem: SystemFileSystem())
    }

    package static func inspect(
        directory: String, fileSystem: any FileSystem
    ) throws(FileStoreError) -> StoreInspection {
        let stopwatch = TimeSource(ContinuousClock())
        let files = StoreFiles(path: directory.withoutTrailingSlashes, fileSystem: fileSystem)
        var attempts = 5
        while true {
            do throws(FileStoreError) {
                return StoreInspection(try files.load(), duration: .nanoseconds(stopwatch.now()))
            } catch {
                // A store that is open may have removed a file, or written on, while its files were read.
                attempts -= 1
                guard attempts > 0, error.mayPass else { throw error }
            }
        }
    }
}

extension FileStoreError {
    fileprivate var mayPass: Bool {
        switch self {
        case .damaged, .missing, .failed: true
        case .inUse, .occupied, .unsupportedFormat: false
        }
    }
}
