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

// The system calls that are called from functions of the same name, where their own names mean something else.

func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { unsafe open(path, flags, mode) }

func systemRead(_ raw: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    unsafe read(raw, buffer, count)
}

func systemWrite(_ raw: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int { unsafe write(raw, buffer, count) }

func systemListen(_ raw: Int32, _ backlog: Int32) -> Int32 { listen(raw, backlog) }

func systemConnect(_ raw: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    unsafe connect(raw, address, length)
}

func systemAccept(_ raw: Int32) -> Int32 { accept(raw, nil, nil) }

func systemSend(_ raw: Int32, _ buffer: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    unsafe send(raw, buffer, count, flags)
}

func systemKill(_ identifier: pid_t, _ signal: Int32) -> Int32 { kill(identifier, signal) }

func systemRename(_ path: String, _ newPath: String) -> Int32 { unsafe rename(path, newPath) }
