// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

import RecordStores
import ReliabilityTesting

extension SimulatedDisk {
    /// A file for people: a letter for each sector, `.` for zeros, `-` if there is no file.
    ///
    /// A last sector that is not whole is followed by its length.
    func picture(of path: String) -> String {
        guard let bytes = contents(of: path) else { return "-" }
        return stride(from: 0, to: bytes.count, by: 512).map { start -> String in
            let sector = Array(bytes[start..<min(start + 512, bytes.count)])
            let isUniform = sector == [UInt8](repeating: sector[0], count: sector.count)
            let letter = isUniform ? sector[0] == 0 ? "." : String(UnicodeScalar(sector[0])) : "?"
            return sector.count == 512 ? letter : "\(letter)\(sector.count)"
        }.joined()
    }

    /// The pictures of several files.
    func picture(of paths: [String]) -> String { paths.map(picture).joined(separator: " ") }

    /// Every picture of files that a loss of power now could leave.
    func pictures(of paths: [String], names order: PowerCut.NameOrder = .free) -> Set<String> {
        Set(outcomes(names: order).map { powerCut($0).picture(of: paths) })
    }

    /// Writes letters, one for each sector, at a sector.
    func write(_ letters: String, at sector: Int = 0, of path: String, isNew: Bool = false) throws(StoreFailure) {
        let file = try open(path, isNew: isNew)
        defer { file.close() }
        try file.write(.sectors(letters), at: sector * 512)
    }

    func sync(_ path: String) throws(StoreFailure) {
        let file = try open(path, isNew: false)
        defer { file.close() }
        try file.sync()
    }
}

extension [UInt8] {
    /// Each letter fills a sector; `.` is zero.
    static func sectors(_ letters: String) -> [UInt8] {
        letters.utf8.flatMap { [UInt8](repeating: $0 == UInt8(ascii: ".") ? 0 : $0, count: 512) }
    }
}
