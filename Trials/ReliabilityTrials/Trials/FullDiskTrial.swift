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

extension Trial {
    /// A disk without room for another byte: nothing that was acknowledged is lost, and with room again all is well.
    static let fullDisk = Trial(
        name: "full-disk", summary: "fills the disk until the store refuses, and makes room again", cycles: 5
    ) { context in
        let disk: SmallDisk
        do {
            disk = try SmallDisk(context.scratch)
        } catch let error as Tool.Failed {
            return .skipped(error.reason)
        }
        var acknowledged = 0
        for cycle in 0..<context.cycles {
            var story = Story("\(disk.directory)/store-\(cycle)")
            var settings = ChildSettings(
                directory: story.directory, seed: context.seed &+ UInt64(cycle), firstNumber: 1)
            settings.operations = 20
            try disk.placeBallast()
            try runToTheEnd(settings, &story)
            try expectNoErrors(in: story)
            settings.firstNumber = story.ledger.nextNumber
            settings.work = .fill
            settings.fileSizeLimit = disk.fileSizeLimit
            try runToTheEnd(settings, &story)
            try expectAnswersOfFullDisk(in: story)
            if disk.fileSizeLimit == nil { try await openWhileFull(&story) }
            try disk.removeBallast()
            try await Inspection.judge(&story)
            settings.firstNumber = story.ledger.nextNumber
            settings.work = .mixed
            settings.fileSizeLimit = nil
            try runToTheEnd(settings, &story)
            try expectNoErrors(in: story)
            try await Inspection.judge(&story)
            acknowledged += story.ledger.acknowledged
            try disk.remove(story.directory)
        }
        try disk.remove()
        return .passed("\(context.cycles) cycles on \(disk.kind), \(commits(acknowledged)), none missing")
    }

    private static func runToTheEnd(_ settings: ChildSettings, _ story: inout Story) throws {
        let child = try Child(settings.command)
        let exit = try story.finish(child)
        guard exit == .status(0) else { throw story.failure("the child ended with \(exit)") }
    }

    private static func expectNoErrors(in story: Story) throws {
        if let error = story.errors.first { throw story.failure("there is room, and yet: \(error.text)") }
    }

    /// What the store has to answer while there is no room: one insert was told so, and every change of what stands
    /// after it went through.
    private static func expectAnswersOfFullDisk(in story: Story) throws {
        guard let error = story.errors.first else {
            throw story.failure("the disk was filled, and nothing was refused")
        }
        guard error.kind == .full, story.errors.count == 1 else {
            throw story.failure("of a full disk, not: \(story.errors.map(\.text).joined(separator: "; "))")
        }
        try expectFileNames(in: story)
        guard [ENOSPC, EFBIG].contains(where: { error.text.contains(systemErrorText($0)) }) else {
            throw story.failure("that is no want of room: \(error.text)")
        }
    }

    /// An opening without room may fail, for that reason alone; if it succeeds, all is there.
    private static func openWhileFull(_ story: inout Story) async throws {
        do {
            let store = try openStore(story.directory)
            try await store.close()
        } catch let error as StoreError {
            guard case .unavailable(let failure) = error, failure.code == ENOSPC else {
                throw story.failure("closing on a full disk: \(error)")
            }
        } catch let error as FileStoreError {
            guard case .failed(let failure) = error, failure.code == ENOSPC else {
                throw story.failure("opening on a full disk: \(error)")
            }
        }
    }
}

/// A disk with little room: a file system in memory where that can be mounted, or else a limit on the size of files.
private struct SmallDisk {
    private static let size = 4 * 1_048_576
    /// Leaves a quarter: with room again there is enough for several copies of what the store holds by then.
    private static let ballastSize = 3 * size / 4

    let directory: String
    /// The largest file that the children may write; `nil` where the disk itself is small.
    let fileSizeLimit: Int?
    private let scratch: Scratch
    private var ballast: String { "\(directory)/ballast" }

    var kind: String { fileSizeLimit == nil ? "a small disk" : "a disk with a limit on the size of files" }

    init(_ scratch: Scratch) throws {
        self.scratch = scratch
        directory = scratch.newPath("small")
        guard unsafe mkdir(directory, 0o700) == 0 else { throw SystemError.last("mkdir") }
        if PrivateMounts.refusal == nil {
            try scratch.mount("tmpfs", on: directory, type: "tmpfs", options: "size=\(Self.size)")
            fileSizeLimit = nil
        } else {
            fileSizeLimit = Self.size - Self.ballastSize
        }
    }

    /// Takes up room that can be made free again.
    func placeBallast() throws {
        guard fileSizeLimit == nil else { return }
        let file = try SystemFileSystem().open(ballast, isNew: true)
        defer { file.close() }
        try file.write([UInt8](repeating: 0, count: Self.ballastSize), at: 0)
    }

    func removeBallast() throws {
        if fileSizeLimit == nil { try SystemFileSystem().remove(ballast) }
    }

    /// Removes a store and all that is in it.
    func remove(_ store: String) throws {
        try Tool.run("rm", "-r", store)
    }

    func remove() throws {
        if fileSizeLimit == nil { try scratch.unmount(directory) }
    }
}
