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

/// Starts a program, looked up like a shell does, in a new process that inherits its standard streams alone.
///
/// Signals have their usual effect in the new process. Standard error is this process's own unless one is given.
func spawn(
    _ words: [String], standardInput: Int32, standardOutput: Int32, standardError: Int32? = nil
) throws(SystemError) -> pid_t {
    #if canImport(Darwin)
    var actions: posix_spawn_file_actions_t?
    var attributes: posix_spawnattr_t?
    let flags = Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_CLOEXEC_DEFAULT)
    #else
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    let flags = Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)
    #endif
    try check(unsafe posix_spawn_file_actions_init(&actions))
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    try check(unsafe posix_spawnattr_init(&attributes))
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    try check(unsafe posix_spawn_file_actions_adddup2(&actions, standardInput, STDIN_FILENO))
    try check(unsafe posix_spawn_file_actions_adddup2(&actions, standardOutput, STDOUT_FILENO))
    try check(unsafe posix_spawn_file_actions_adddup2(&actions, standardError ?? STDERR_FILENO, STDERR_FILENO))
    var usual = sigset_t()
    unsafe sigemptyset(&usual)
    try check(unsafe posix_spawnattr_setsigmask(&attributes, &usual))
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { unsafe sigaddset(&usual, signal) }
    try check(unsafe posix_spawnattr_setsigdefault(&attributes, &usual))
    try check(unsafe posix_spawnattr_setflags(&attributes, flags))

    let copies: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe copies.forEach { unsafe free($0) } }
    var identifier = pid_t()
    try check(unsafe posix_spawnp(&identifier, words[0], &actions, &attributes, copies, environ))
    return identifier
}

/// How a process ended.
enum Exit: Equatable, Sendable, CustomStringConvertible {
    case status(Int32)
    case signal(Int32)

    var description: String {
        switch self {
        case .status(let status): "exit status \(status)"
        case .signal(let signal): "signal \(signal)"
        }
    }

    /// Waits for the end of a child.
    static func waiting(for identifier: pid_t) -> Exit {
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0 {
            guard errno == EINTR else { preconditionFailure("\(SystemError.last("waitpid"))") }
        }
        // The macros WIFSIGNALED and WEXITSTATUS are not there in Swift.
        let signal = status & 0x7F
        return signal == 0 ? .status((status >> 8) & 0xFF) : .signal(signal)
    }
}

private func check(_ status: Int32) throws(SystemError) {
    guard status == 0 else { throw SystemError(call: "posix_spawn", code: status) }
}
