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

/// The directory of a run, and what is where in it.
struct Workplace: Equatable, Sendable {
    /// A socket's path has room for about that many bytes on every system.
    private static let longestSocket = 100

    let directory: String

    /// The orders, copied here at the start so that every life of the worker reads the same ones.
    var orders: String { directory + "/orders.jsonl" }
    /// The stores of the checkout.
    var records: String { directory + "/records" }
    /// The provider's own ledger.
    var ledger: String { directory + "/ledger.jsonl" }

    /// Where the provider listens: in the directory, or in a short one if that path is too long for a socket.
    func socket(_ short: TemporaryDirectory) -> String {
        let path = directory + "/provider.sock"
        return path.utf8.count <= Self.longestSocket ? path : short.path + "/provider.sock"
    }

    /// Makes the directory if it is not there, for its owner alone, and locks it for as long as the answer is kept.
    ///
    /// - Throws: a ``Failure`` if it cannot be made or written to, or another run has it.
    func prepare() throws(Failure) -> Descriptor {
        guard unsafe mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw unusable(.last("mkdir"))
        }
        guard unsafe access(directory, W_OK | X_OK) == 0 else { throw unusable(.last("access")) }
        let lock: Descriptor
        do {
            lock = try Descriptor.open(directory + "/LOCK", O_RDWR | O_CREAT)
        } catch {
            throw unusable(error)
        }
        guard flock(lock.raw, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw unusable(.last("flock")) }
            throw Failure("cannot use the directory \(directory): in use by another process", exitCode: .cannotStart)
        }
        return lock
    }

    /// Copies the orders into the directory; an earlier run's copy has to be the same.
    ///
    /// - Throws: a ``Failure`` if they cannot be written, or the directory holds a run over other orders.
    func take(_ bytes: [UInt8]) throws(Failure) {
        do {
            if unsafe access(orders, F_OK) == 0 {
                guard try Self.content(of: orders) == bytes else {
                    throw Failure(
                        "cannot use the directory \(directory): it holds a run over other orders",
                        exitCode: .cannotStart)
                }
                return
            }
            let draft = try Descriptor.open(orders + ".new", O_WRONLY | O_CREAT | O_TRUNC)
            try draft.write(bytes)
            try draft.synchronize()
            guard systemRename(orders + ".new", orders) == 0 else { throw SystemError.last("rename") }
        } catch let failure as Failure {
            throw failure
        } catch let error as SystemError {
            throw unusable(error)
        } catch {
            throw Failure("cannot use the directory \(directory): \(error)", exitCode: .cannotStart)
        }
    }

    private func unusable(_ error: SystemError) -> Failure {
        Failure("cannot use the directory \(directory): \(error.reason)", exitCode: .cannotStart)
    }

    private static func content(of path: String) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY)
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(upTo: 1 << 20)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }
}
