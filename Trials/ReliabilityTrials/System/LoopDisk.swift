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

/// A file system of its own in a file, whose power can be cut.
///
/// The cut is the shutdown of ext4 without flushing its journal: from then on nothing reaches the disk, every call
/// fails, and the next mount finds what had been synced.
final class LoopDisk {
    private let scratch: Scratch
    private let image: String
    private let directory: String
    private static let size = 96 * 1_048_576

    init(_ scratch: Scratch) throws {
        self.scratch = scratch
        image = scratch.newPath("disk")
        directory = scratch.newPath("mounted")
        guard unsafe mkdir(directory, 0o700) == 0 else { throw SystemError.last("mkdir") }
        let file = Descriptor(owning: unsafe open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
        guard file.raw >= 0, ftruncate(file.raw, off_t(Self.size)) == 0 else { throw SystemError.last("create") }
        try Tool.run("mkfs.ext4", "-q", "-F", image)
        try mount()
        // Not every kernel lets its power be cut.
        try cutPower()
        try restart()
    }

    func path(of name: String) -> String { "\(directory)/\(name)" }

    /// From now on nothing reaches the disk.
    func cutPower() throws {
        // _IOR('X', 125, __u32) with EXT4_GOING_FLAGS_NOLOGFLUSH.
        let shutdown: UInt = 0x8004_587D
        var flags: UInt32 = 2
        let root = Descriptor(owning: unsafe open(directory, O_RDONLY | O_CLOEXEC))
        guard root.raw >= 0, unsafe ioctl(root.raw, shutdown, &flags) == 0 else {
            throw SystemError.last("ioctl(EXT4_IOC_SHUTDOWN)")
        }
    }

    /// Mounts the disk anew, as after a restart.
    func restart() throws {
        try scratch.unmount(directory)
        try mount()
    }

    func remove() throws {
        try scratch.unmount(directory)
        guard unsafe unlink(image) == 0 else { throw SystemError.last("unlink") }
    }

    /// The loop device goes with the mount.
    private func mount() throws {
        try scratch.mount(image, on: directory, type: "ext4", options: "loop,data=ordered")
    }
}
