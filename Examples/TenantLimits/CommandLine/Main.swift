// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation

@main
enum TenantLimits {
    static let help = """
        USAGE: tenant-limits [OPTIONS] LOG
               tenant-limits --sample

        Reads a web access log (combined or common format; - is standard input) and tells what each algorithm of rate
        limiting would have let through, for each client. The log's own times are the clock.

          --limit N        so many requests of a client ... (default: 60)
          --per TIME       ... in this time, 1s to 24h (default: 60s)
          --burst N        the most at once, for the token bucket (default: the limit)
          --wait TIME      how long the leaky bucket lets a request wait, up to 1h (default: 10s)
          --key KEY        who shares a limit: client (an address, or an IPv6 network of 64 bits), user, path-prefix
                           (default: client)
          --top N          how many clients have a line of their own in the table (default: 10)
          --clients N      how many clients are told apart at one time (default: 50000)
          --svg FILE       writes a picture over time, of all clients together, or
          --show CLIENT    of one of them; the table then also has the most that passed in any such time
          --sample         prints the log that comes with the example
        """

    static func main() {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            switch options.task {
            case .help: try Files.print(help + "\n")
            case .sample: try Files.print(SampleLog.text)
            case .replay(let input): try replay(input, options)
            }
        } catch {
            say("\(error)")
            exit(2)
        }
    }

    private static func replay(_ input: Options.Input, _ options: Options) throws(Refused) {
        var (replay, lines) = (Replay(options.rules), LineBuffer())
        try Files.read(input) { bytes in
            lines.append(bytes)
            while let line = lines.next() { replay.take(line) }
        }
        if let line = lines.last() { replay.take(line) }
        let timeline = replay.finish()
        for note in replay.notes { say(note) }
        guard let timeline else { throw Refused("the log has no request") }
        if let shown = options.rules.shown, timeline.most[.requests] == 0 {
            throw Refused("the log has no request of \(shown.displayed)")
        }
        let table = Table(replay, top: options.top, most: options.rules.shown == nil ? nil : timeline.most)
        try Files.print("\(table)\n")
        if let path = options.picture {
            try Files.write(TimelineChart(timeline: timeline, rules: options.rules).svg, to: path)
        }
    }

    private static func say(_ message: String) {
        FileHandle.standardError.write(Data("tenant-limits: \(message)\n".utf8))
    }
}
