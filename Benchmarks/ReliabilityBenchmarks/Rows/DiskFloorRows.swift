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

extension Floor {
    static let syncGrowing = "2 x (write 256 B + fdatasync), growing file"
    static let syncZeroed = "2 x (write 256 B + fdatasync), file of zeros"
    static let committer = "2 x (300 B to a bare committer), 64 callers, file of zeros"
    static let committerOfThree = "3 x (300 B to a bare committer), 64 callers, file of zeros"
    static let committerOfSix = "6 x (300 B to a bare committer), 64 callers, file of zeros"
    static let readAndBuild = "read the journal + one dictionary insert for each key"
}

/// What binds the file store: the disk's own syncs, and reading back.
extension Row {
    static let diskFloors = [
        Row("Floors", Floor.syncGrowing, floor: nil, count: .fixed(200, smoke: 5), usesFiles: true) { meter in
            let file = try BareFile(meter.scratch.newPath("growing"))
            return try meter.sync { count in try file.writeAndSync(2 * count) / 2 }
        },
        Row("Floors", Floor.syncZeroed, floor: nil, count: .fixed(200, smoke: 5), usesFiles: true) { meter in
            let file = try BareFile(meter.scratch.newPath("zeroed"))
            try file.zero(2 * meter.count)
            return try meter.sync { count in try file.writeAndSync(2 * count) / 2 }
        },
        committerFloor(Floor.committer, writes: 2),
        committerFloor(Floor.committerOfThree, writes: 3),
        committerFloor(Floor.committerOfSix, writes: 6),
        Row(
            "Floors", Floor.readAndBuild, floor: nil, count: .fixed(Keys.count, smoke: 1_000), usesFiles: true
        ) { meter in
            let journal = try await PreparedStore.shared.journal(meter)
            let keys = Keys.all.map { Array($0.utf8) }
            return try meter.sync { count in
                let bytes = try SystemFileSystem().read(journal)
                var slots: [String: BareSlot] = [:]
                for number in 0..<count {
                    let offset = number * (bytes.count - 256) / count
                    let response = Array(bytes[offset..<offset + 256])
                    slots[String(decoding: keys[number], as: UTF8.self)] = BareSlot(response: response)
                }
                return slots.count
            }
        },
    ]

    /// Operations of so many writes each, one after the other.
    private static func committerFloor(_ name: String, writes: Int) -> Row {
        Row("Floors", name, floor: nil, count: .fixed(20_000, smoke: 640), usesFiles: true) { meter in
            let committer = try BareCommitter(meter.scratch.newPath("committer"), room: writes * 304 * meter.count)
            let bytes = [UInt8](repeating: 0xA5, count: 300)
            let sample = try await meter.async { count in
                try await concurrently(64, count) { _, _ in
                    var done = 0
                    for _ in 0..<writes where await committer.append(bytes) { done += 1 }
                    return done == writes
                }
            }
            await committer.end()
            return sample
        }
    }
}

/// A file that one thread writes records of 256 bytes to.
struct BareFile: ~Copyable {
    private static let record = [UInt8](repeating: 0xA5, count: 256)

    private let path: String
    private let number: Int32

    init(_ path: String) throws {
        self.path = path
        number = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw SystemCallFailed("create", path) }
    }

    deinit { close(number) }

    /// Fills the file with zeros for so many records, on the medium.
    func zero(_ count: Int) throws {
        try write([UInt8](repeating: 0, count: count * Self.record.count), at: 0)
        try sync()
    }

    /// Writes records from the start of the file on, each with a sync of its own; returns how many.
    func writeAndSync(_ count: Int) throws -> Int {
        for index in 0..<count {
            try write(Self.record, at: index * Self.record.count)
            try sync()
        }
        return count
    }

    private func write(_ bytes: [UInt8], at offset: Int) throws {
        let written = unsafe bytes.withUnsafeBytes { unsafe pwrite(number, $0.baseAddress, $0.count, off_t(offset)) }
        guard written == bytes.count else { throw SystemCallFailed("write", path) }
    }

    private func sync() throws {
        #if canImport(Darwin)
        let status = fcntl(number, F_FULLFSYNC)
        #else
        let status = fdatasync(number)
        #endif
        guard status == 0 else { throw SystemCallFailed("sync", path) }
    }
}
