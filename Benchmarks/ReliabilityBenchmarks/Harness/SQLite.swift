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
internal import Synchronization

/// What the rows use of SQLite, which is looked for when they run: nothing depends on it.
@safe
struct SQLiteLibrary: Sendable {
    typealias Open = @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<OpaquePointer?>) -> Int32
    typealias Execute =
        @convention(c) (OpaquePointer, UnsafePointer<CChar>, OpaquePointer?, OpaquePointer?, OpaquePointer?) -> Int32
    typealias Prepare =
        @convention(c) (
            OpaquePointer, UnsafePointer<CChar>, Int32, UnsafeMutablePointer<OpaquePointer?>, OpaquePointer?
        ) -> Int32
    typealias Bind = @convention(c) (OpaquePointer, Int32, UnsafeRawPointer?, Int32, Int) -> Int32
    typealias OfOne = @convention(c) (OpaquePointer) -> Int32

    let open: Open
    let execute: Execute
    let prepare: Prepare
    let bindText: Bind
    let bindBlob: Bind
    let step: OfOne
    let reset: OfOne
    let finalize: OfOne
    let close: OfOne
    let changes: OfOne

    /// The library, if the system has it.
    static let shared = SQLiteLibrary()

    private init?() {
        let names = ["libsqlite3.so.0", "libsqlite3.so", "libsqlite3.dylib"]
        guard let handle = unsafe names.lazy.compactMap({ unsafe dlopen($0, RTLD_NOW) }).first else { return nil }
        func symbol<Function>(_ name: String, as type: Function.Type) -> Function? {
            unsafe dlsym(handle, "sqlite3_" + name).map { unsafe unsafeBitCast($0, to: type) }
        }
        guard let open = unsafe symbol("open", as: Open.self),
            let execute = unsafe symbol("exec", as: Execute.self),
            let prepare = unsafe symbol("prepare_v2", as: Prepare.self),
            let bindText = unsafe symbol("bind_text", as: Bind.self),
            let bindBlob = unsafe symbol("bind_blob", as: Bind.self),
            let step = unsafe symbol("step", as: OfOne.self),
            let reset = unsafe symbol("reset", as: OfOne.self),
            let finalize = unsafe symbol("finalize", as: OfOne.self),
            let close = unsafe symbol("close", as: OfOne.self),
            let changes = unsafe symbol("changes", as: OfOne.self)
        else { return nil }
        unsafe self.open = open
        unsafe self.execute = execute
        unsafe self.prepare = prepare
        unsafe self.bindText = bindText
        unsafe self.bindBlob = bindBlob
        unsafe self.step = step
        unsafe self.reset = reset
        unsafe self.finalize = finalize
        unsafe self.close = close
        unsafe self.changes = changes
    }
}

/// SQLite did not do what the row needs.
struct SQLiteFailed: Error, CustomStringConvertible {
    let code: Int32
    let description: String
}

/// A table of keys in a file, in WAL mode with `synchronous=FULL`: durable after each transaction, as the file store is.
///
/// Used by one thread at a time.
@safe
final class SQLiteKeys {
    private let library: SQLiteLibrary
    private let database: OpaquePointer
    private let insertion: OpaquePointer
    private let completion: OpaquePointer

    init(_ path: String, _ library: SQLiteLibrary) throws {
        func check(_ code: Int32, _ operation: String) throws {
            guard code == 0 else { throw SQLiteFailed(code: code, description: "SQLite: \(operation): error \(code)") }
        }
        var database: OpaquePointer?
        try check(unsafe library.open(path, &database), "open")
        guard let database = unsafe database else {
            throw SQLiteFailed(code: 0, description: "SQLite gave no database")
        }
        for statement in [
            "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
            "CREATE TABLE keys (key TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB) WITHOUT ROWID",
        ] {
            try check(unsafe library.execute(database, statement, nil, nil, nil), statement)
        }
        func prepare(_ statement: String) throws -> OpaquePointer {
            var prepared: OpaquePointer?
            try check(unsafe library.prepare(database, statement, -1, &prepared, nil), statement)
            guard let prepared = unsafe prepared else {
                throw SQLiteFailed(code: 0, description: "SQLite gave no statement")
            }
            return unsafe prepared
        }
        unsafe insertion = try prepare("INSERT INTO keys (key, state) VALUES (?1, 'in-progress')")
        unsafe completion = try prepare("UPDATE keys SET state = 'completed', body = ?2 WHERE key = ?1")
        self.library = library
        unsafe self.database = database
    }

    deinit {
        unsafe _ = library.finalize(insertion)
        unsafe _ = library.finalize(completion)
        unsafe _ = library.close(database)
    }

    /// Runs `body` in one transaction.
    func transaction(_ body: () -> Void) -> Bool {
        guard unsafe library.execute(database, "BEGIN IMMEDIATE", nil, nil, nil) == 0 else { return false }
        body()
        return unsafe library.execute(database, "COMMIT", nil, nil, nil) == 0
    }

    func insert(_ key: String) -> Bool { unsafe run(insertion, key, nil) }
    func complete(_ key: String, _ body: [UInt8]) -> Bool { unsafe run(completion, key, body) }

    private func run(_ statement: OpaquePointer, _ key: String, _ body: [UInt8]?) -> Bool {
        var key = key
        return key.withUTF8 { text in
            guard unsafe library.bindText(statement, 1, text.baseAddress, Int32(text.count), 0) == 0 else {
                return false
            }
            guard let body else { return unsafe step(statement) }
            return unsafe body.withUnsafeBytes { bytes in
                guard unsafe library.bindBlob(statement, 2, bytes.baseAddress, Int32(bytes.count), 0) == 0 else {
                    return false
                }
                return unsafe step(statement)
            }
        }
    }

    private func step(_ statement: OpaquePointer) -> Bool {
        let done: Int32 = 101
        let isDone = unsafe library.step(statement) == done && library.changes(database) == 1
        return unsafe library.reset(statement) == 0 && isDone
    }
}

/// A thread that carries out what many tasks ask of SQLite, all that has gathered in one transaction.
final class SQLiteGroupCommit: Sendable {
    private struct Job {
        let key: String
        /// `nil` for an insert.
        let body: [UInt8]?
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var jobs: [Job] = []
        var isEnding = false
        var isEnded = false
        var finisher: CheckedContinuation<Void, Never>?
    }

    private let state = Locked(State())
    private let parker = Parker()

    /// Starts the thread, which opens the database.
    init(_ path: String, _ library: SQLiteLibrary) throws {
        guard startOwnThread({ [self] in run(path, library) }) else {
            throw SQLiteFailed(code: 0, description: "there is no thread for SQLite")
        }
    }

    func insert(_ key: String) async -> Bool { await perform(key, nil) }
    func complete(_ key: String, _ body: [UInt8]) async -> Bool { await perform(key, body) }

    private func perform(_ key: String, _ body: [UInt8]?) async -> Bool {
        await withCheckedContinuation { continuation in
            state.withLock { $0.jobs.append(Job(key: key, body: body, continuation: continuation)) }
            parker.wake()
        }
    }

    /// Ends the thread, which closes the database.
    func end() async {
        await withCheckedContinuation { continuation in
            let isEnded = state.withLock { state in
                state.isEnding = true
                if !state.isEnded { state.finisher = continuation }
                return state.isEnded
            }
            parker.wake()
            if isEnded { continuation.resume() }
        }
    }

    private func run(_ path: String, _ library: SQLiteLibrary) {
        work(path, library)
        let finisher = state.withLock { state in
            state.isEnded = true
            return state.finisher
        }
        finisher?.resume()
    }

    private func work(_ path: String, _ library: SQLiteLibrary) {
        let keys = try? SQLiteKeys(path, library)
        while true {
            let (jobs, isEnding) = state.withLock { state in
                defer { state.jobs = [] }
                return (state.jobs, state.isEnding)
            }
            guard !jobs.isEmpty else {
                if isEnding { return }
                parker.park()
                continue
            }
            var results = [Bool](repeating: false, count: jobs.count)
            let isCommitted =
                keys?.transaction {
                    for (index, job) in jobs.enumerated() {
                        results[index] =
                            job.body.map { keys?.complete(job.key, $0) ?? false } ?? keys?.insert(job.key) ?? false
                    }
                } ?? false
            for (job, result) in zip(jobs, results) { job.continuation.resume(returning: isCommitted && result) }
        }
    }
}
