// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What the command line asks for.
struct Options {
    enum Format: String, CaseIterable {
        case text
        case json
    }

    enum Action {
        case measure
        case list
        case help
    }

    var action = Action.measure
    var filters: [String] = []
    var format = Format.text
    var isSmoke = false
    var directory: String?

    /// A command line that asks for nothing that there is.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    init(_ arguments: some Sequence<String>) throws(Malformed) {
        var rest = Array(arguments)[...]
        func value(of option: String) throws(Malformed) -> String {
            guard let value = rest.popFirst() else { throw Malformed(description: "\(option) needs a value") }
            return value
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--filter":
                filters.append(try value(of: argument).lowercased())
            case "--format":
                let name = try value(of: argument)
                guard let format = Format(rawValue: name) else {
                    throw Malformed(description: "there is no format \(name), only text and json")
                }
                self.format = format
            case "--directory": directory = try value(of: argument)
            case "--smoke": isSmoke = true
            case "--list": action = .list
            case "--help", "-h": action = .help
            default: throw Malformed(description: "unknown argument \(argument)")
            }
        }
        if case .help = action { return }
        guard !rows.isEmpty else {
            throw Malformed(description: "no row contains \(filters.joined(separator: " or "))")
        }
    }

    /// The rows that the filters select, all without one.
    var rows: [Row] {
        guard !filters.isEmpty else { return Row.all }
        return Row.all.filter { row in
            let title = row.title.lowercased()
            return filters.contains { title.contains($0) }
        }
    }

    static let help = """
        USAGE: reliability-benchmarks [options]

          --filter TEXT       only rows whose title contains TEXT; may be given several times
          --format FORMAT     text (default) or json
          --smoke             everything once and short: shows that it runs, the figures mean nothing
          --directory DIR     where the files of the file rows go; on a real disk (default: .build, or TMPDIR)
          --list              the titles of the rows, each with its floor
          --help              this text

        Every row is measured in samples, which alternate with those of all other rows. "min" is the best sample and
        "med" the median, both per operation. "of floor" is the ratio to the floor's min and med of the same run; the
        floor of a row is measured with it also where the filter leaves it out. "allocs" are allocations per operation.
        """
}
