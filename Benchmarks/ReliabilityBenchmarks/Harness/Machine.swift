// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif
#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// What the figures were measured on.
struct Machine: Codable {
    let cores: Int
    let system: String
    let processor: String?
    /// The kind of file system under the file rows.
    let fileSystem: String?

    init(fileSystem: String?) {
        cores = ProcessInfo.processInfo.activeProcessorCount
        system = Self.systemName
        processor = Self.processorName
        self.fileSystem = fileSystem
    }

    /// One line for people.
    var line: String {
        let parts = ["\(cores) cores", processor, system, fileSystem.map { "files on \($0)" }]
        return parts.compactMap { $0 }.joined(separator: ", ")
    }

    private static var systemName: String {
        var name = utsname()
        guard unsafe uname(&name) == 0 else { return "unknown system" }
        let parts = [text(name.sysname), text(name.release), text(name.machine)]
        return parts.joined(separator: " ")
    }

    private static func text<Characters>(_ characters: Characters) -> String {
        unsafe withUnsafeBytes(of: characters) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private static var processorName: String? {
        #if os(Linux)
        guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { String($0.drop { $0 == " " }) }
        #else
        return nil
        #endif
    }
}
