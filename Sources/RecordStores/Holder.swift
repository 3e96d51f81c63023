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

/// Who holds a record: one holding by one process.
public struct Holder: Hashable, Sendable, CustomStringConvertible {
    /// Tells this holding from every other, so that after an unknown outcome one can see whose insert stands there.
    public let nonce: UInt64
    /// The process that holds the record.
    public let process: ProcessIdentity

    /// A holder from its parts, as a store reads it back.
    public init(nonce: UInt64, process: ProcessIdentity) {
        self.nonce = nonce
        self.process = process
    }

    /// A new holding by this process, with a nonce of its own.
    public static func new() -> Holder { Holder(nonce: nonces.next(), process: .current) }

    /// The process, as `host:pid`.
    public var description: String { process.description }

    private static let nonces = RandomSource.system
}

/// One life of one process, so that a store can tell its own leases from those of a process that is gone.
public struct ProcessIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The host's name, cut to 64 bytes.
    public let host: String
    /// The process identifier. It alone says little: identifiers are used again, and in a container all are 1.
    public let pid: Int32
    /// A random number drawn when the process first asked for its identity.
    public let instance: UInt64

    /// An identity from its parts, as a store reads it back.
    public init(host: String, pid: Int32, instance: UInt64) {
        self.host = host
        self.pid = pid
        self.instance = instance
    }

    /// The identity of the running process.
    public static let current: ProcessIdentity = {
        var name = [UInt8](repeating: 0, count: 65)
        let status = unsafe name.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return Int32(-1) }
            return unsafe gethostname(base.assumingMemoryBound(to: CChar.self), 64)
        }
        let host = status == 0 ? String(decoding: name.prefix { $0 != 0 }, as: UTF8.self) : "unknown"
        return ProcessIdentity(host: host, pid: getpid(), instance: RandomSource.system.next())
    }()

    /// The host and the process identifier, as `host:pid`.
    public var description: String { "\(host):\(pid)" }
}
