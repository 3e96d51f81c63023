// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif
internal import RecordStores

/// The life of a child: opens the store in a directory, has callers use it, reports everything, and closes it.
///
/// An error is an outcome like others and is reported. The exit status is 0 unless something happened that no trial
/// provides for.
struct ChildRun {
    let settings: ChildSettings

    /// How often an opening that fails is tried again.
    private static let retries = 3

    func run() async throws {
        if let bytes = settings.fileSizeLimit { try limitFileSize(to: bytes) }
        let report = Reporter(firstNumber: settings.firstNumber)
        var failedOpenings = 0
        var lives = 0
        while lives < settings.lives, failedOpenings <= Self.retries {
            let store: FileRecordStore
            do throws(FileStoreError) {
                store = try openStore(settings.directory, layout, committer: settings.committer) { report.tell($0) }
            } catch {
                report(.notOpened(ReportedError(error)))
                failedOpenings += 1
                continue
            }
            lives += 1
            await live(with: store, life: lives, report)
        }
    }

    /// A limit on the size of files ends the growth of the one that is written, so that has to be a large one.
    private var layout: FileStoreLayout { settings.fileSizeLimit == nil ? .small : .small.withLargeJournals }

    private func live(with store: FileRecordStore, life: Int, _ report: Reporter) async {
        let workload = Workload(store: store, report: report)
        do throws(StoreError) {
            try await workload.list(lastEnd: "\(store.report.lastEnd)")
            switch settings.work {
            case .mixed:
                await workload.run(
                    callers: settings.callers, operations: settings.operations,
                    seed: settings.seed &+ UInt64(life) &* 1_000)
            case .fill: await workload.fill()
            case .clear:
                await workload.clear()
                exit(EXIT_SUCCESS)
            case .idle: while true { pause() }
            }
        } catch {
            // The listing has no number: whoever reads this finds a listing that was not completed.
            report(.failed(0, ReportedError(error)))
        }
        do throws(StoreError) {
            try await store.close()
            report(.closed)
        } catch {
            report(.notClosed(ReportedError(error)))
        }
    }

    /// Has the system refuse to let a file grow beyond a size, instead of a disk that is full.
    private func limitFileSize(to bytes: Int) throws {
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit()
        limit.rlim_cur = rlim_t(bytes)
        limit.rlim_max = rlim_t(bytes)
        #if canImport(Glibc)
        let status = unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        #else
        let status = unsafe setrlimit(RLIMIT_FSIZE, &limit)
        #endif
        guard status == 0 else { throw SystemError.last("setrlimit") }
    }
}

/// Opens a store as all trials do, for the process that it is asked for.
func openStore(
    _ directory: String, _ layout: FileStoreLayout = .small, committer: FileCommitter = .ownThread,
    process: ProcessIdentity = .current, onEvent: (@Sendable (FileStoreEvent) -> Void)? = nil
) throws(FileStoreError) -> FileRecordStore {
    try FileRecordStore(
        directory: directory, committer: committer, clock: ContinuousClock(), fileSystem: SystemFileSystem(),
        layout: layout, process: process, onEvent: onEvent)
}

extension FileStoreLayout {
    /// So small that a short life meets many journals and snapshots.
    static var small: FileStoreLayout {
        var layout = FileStoreLayout()
        layout.journal = 8_192
        layout.reserve = 16_384
        layout.steps = 4_096...16_384
        layout.smallestCompaction = 16_384
        layout.snapshotPiece = 4_096
        layout.snapshotSync = 16_384
        return layout
    }

    /// The same with journals that are never full.
    var withLargeJournals: FileStoreLayout {
        var layout = self
        layout.journal = FileStoreLayout().journal
        layout.smallestCompaction = FileStoreLayout().journal
        return layout
    }
}
