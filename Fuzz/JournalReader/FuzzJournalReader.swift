// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

#if Fuzzing

/// What a fuzzer calls with every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJournalReader(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    StoreCheck.run(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

#else

/// Runs inputs that are kept, or packs a store's directory into one.
@main
enum Replay {
    private static let usage = """
        USAGE: fuzz-journal-reader INPUT...            runs these inputs, of a directory all in it
               fuzz-journal-reader --pack DIR FLAGS OUT  makes an input of a store's files
        """

    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let files = SystemFileSystem()
        if arguments.first == "--pack" {
            guard arguments.count == 4, let flags = UInt8(arguments[2]) else { return print(usage) }
            let names = try files.names(in: arguments[1]).filter { $0.hasSuffix(".log") }.sorted()
            let contents = try names.map { (name: $0, bytes: try files.read("\(arguments[1])/\($0)")) }
            let file = try files.open(arguments[3], isNew: true)
            try file.write(StoreContainer.pack(contents, flags: flags), at: 0)
            return file.close()
        }
        guard !arguments.isEmpty else { return print(usage) }
        var count = 0
        for path in arguments {
            let names = try? files.names(in: path)
            for input in names.map({ $0.sorted().map { "\(path)/\($0)" } }) ?? [path] {
                StoreCheck.run(try files.read(input))
                count += 1
            }
        }
        print("\(count) inputs, and nothing is wrong with any")
    }
}

#endif
