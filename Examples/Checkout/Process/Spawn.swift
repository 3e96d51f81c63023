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

/// Starts a program in a new process that inherits nothing but its standard streams and the environment.
///
/// Both standard input and standard output are the descriptor given. Signals have their usual effect in the new
/// process.
func spawn(
    _ executable: String, _ arguments: [String], standardStreams: borrowing Descriptor
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
    try check(unsafe posix_spawn_file_actions_adddup2(&actions, standardStreams.raw, STDIN_FILENO))
    try check(unsafe posix_spawn_file_actions_adddup2(&actions, standardStreams.raw, STDOUT_FILENO))
    #if canImport(Darwin)
    try check(unsafe posix_spawn_file_actions_addinherit_np(&actions, STDERR_FILENO))
    #endif
    var usual = sigset_t()
    unsafe sigemptyset(&usual)
    try check(unsafe posix_spawnattr_setsigmask(&attributes, &usual))
    for signal in [SIGINT, SIGTERM, SIGPIPE, SIGHUP] { unsafe sigaddset(&usual, signal) }
    try check(unsafe posix_spawnattr_setsigdefault(&attributes, &usual))
    try check(unsafe posix_spawnattr_setflags(&attributes, flags))

    let words: [UnsafeMutablePointer<CChar>?] = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var identifier = pid_t()
    try check(unsafe posix_spawn(&identifier, executable, &actions, &attributes, words, environ))
    return identifier
}

private func check(_ status: Int32) throws(SystemError) {
    guard status == 0 else { throw SystemError(call: "posix_spawn", code: status) }
}
