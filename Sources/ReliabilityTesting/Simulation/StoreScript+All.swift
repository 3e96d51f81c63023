// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The scripts that together come to everything that a store does with its files.
extension StoreScript {
    package static let all: [StoreScript] = [
        StoreScript("creation", [.open, .insert(["a"]), .settle, .insert(["b", "c"]), .settle, .close]),
        StoreScript("creation without a change", [.open, .settle, .close, .open, .insert(["a"]), .settle]),
        StoreScript(
            "calls at the same time", after: stocked,
            [.open, .insert(["a"]), .insert(["b"]), .insert(["c"]), .settle, .insert(["d"]), .insert(["e"]), .settle]),
        StoreScript(
            "a conflict and a read while a write is pending", after: stocked,
            [
                .open, .replace(["m"]), .settle, .replace(["m", "n"]), .conflict(["o", "m"]), .read, .insert(["a"]),
                .settle,
            ]),
        StoreScript(
            "deletes and moves", after: stocked,
            [.open, .delete(["m"]), .move("n", to: "a"), .settle, .move("a", to: "m"), .insert(["n"]), .settle]),
        StoreScript(
            "holds", after: stocked,
            [
                .open, .claim("m", .seconds(60)), .claimDue, .settle, .extend("m"), .settle, .pass(.seconds(61)),
                .claim("m", .seconds(1)), .settle,
            ]),
        StoreScript(
            "holds of a process that comes back", after: stocked,
            [
                .process(7), .open, .claim("m", .seconds(600)), .settle, .close, .process(8), .open, .read, .settle,
                .close,
                .process(7), .open, .read, .settle, .close,
            ]),
        StoreScript(
            "expiry, and then a wall clock that is set back", after: stocked,
            [
                .wallClock(.seconds(100)), .open, .insert(["a", "b"], expires: .seconds(1)), .settle,
                .pass(.seconds(2)),
                .read, .settle, .purge, .settle, .wallClock(.seconds(-100)), .insert(["c"]), .settle,
            ]),
        StoreScript(
            "an expiry that a read shows, of a clock that is set back",
            after: [.open, .insert(["a", "b"], expires: .seconds(50)), .settle, .close, .wallClock(.seconds(100))],
            [.open, .read, .settle, .wallClock(.seconds(-100))]),
        StoreScript(
            "a change of journals", after: stocked,
            [
                .open, .insert(["a"], .large), .settle, .insert(["b"], .large), .settle, .insert(["c"], .large),
                .settle,
                .insert(["d"], .large), .settle, .insert(["e"]), .settle,
            ]),
        StoreScript(
            "a compaction, with commits between its pieces", after: stocked,
            [
                .open, .insert(["a", "b"], .medium), .settle, .compact, .step, .replace(["a"]), .step, .delete(["p"]),
                .step, .claim("o", .seconds(5)), .step, .insert(["c"], .medium), .step, .delete(["o"]), .step,
                .replace(["m"]), .step, .insert(["d"]), .settle, .insert(["e"]), .settle,
            ]),
        StoreScript(
            "a compaction that shows a name which a record gets only later", after: stocked,
            [
                .open, .insert(["a"], .medium), .settle, .compact, .step, .replace(["m"]), .move("m", to: "b"), .settle,
                .close, .open, .compact, .settle, .close, .open, .read, .settle,
            ]),
        StoreScript(
            "calls that come while the store writes, and while it copies into a snapshot", after: stocked,
            [
                .open, .insert(["a"]), .meanwhile(), .insert(["b"]), .step, .meanwhile(), .read, .settle, .compact,
                .step, .replace(["m"]), .meanwhile(), .insert(["c"]), .step, .meanwhile(), .delete(["p"]), .step,
                .meanwhile(), .replace(["n"]), .step, .meanwhile(), .insert(["d"]), .step, .meanwhile(),
                .insert(["e"]), .step, .meanwhile(), .insert(["f"]), .step, .meanwhile(), .insert(["g"]), .step,
                .settle,
            ]),
        StoreScript(
            "calls that come while a caller writes, or the store for it", after: stocked,
            [
                .open, .insert(["a"]), .settle, .meanwhile(), .insert(["b"]), .insert(["c"]), .settle,
                .meanwhile(.sync), .read, .replace(["m"]), .settle, .meanwhile(.isLinked), .delete(["n"]),
                .insert(["d"]), .step, .settle, .meanwhile(.sync), .compact, .claim("o", .seconds(5)), .settle,
                .insert(["e"]), .insert(["f"]), .meanwhile(.sync), .close,
            ]),
        StoreScript(
            "a compaction that is closed half-way", after: stocked,
            [
                .open, .insert(["a"], .large), .settle, .compact, .step, .step, .replace(["m"]), .close, .open, .read,
                .settle,
            ]),
        StoreScript(
            "the end", after: stocked, [.open, .insert(["a"]), .insert(["b"]), .close, .open, .insert(["c"]), .close]),
        StoreScript("after a kill", after: stocked + live + [.kill], again),
        StoreScript("after a power cut", after: stocked + live + [.cutPower(.nothing)], again),
        StoreScript("after a torn write", after: stocked + live + [.cutPower(.first(2))], again),
        StoreScript(
            "after a sync that failed", after: stocked + live + [.fault(.failedSync()), .settle, .kill], again),
        StoreScript("after a close", after: stocked + live + [.settle, .close], again),
        StoreScript("after a change of journals", after: stocked + changes + [.kill], again),
        StoreScript(
            "after a compaction", after: stocked + live + [.settle, .compact, .settle, .insert(["f"]), .settle, .kill],
            again),
        StoreScript(
            "after half a compaction",
            after: stocked + live + [.settle, .compact, .step, .step, .insert(["f"]), .kill],
            again),
        StoreScript(
            "a directory that is removed", after: stocked,
            [.open, .insert(["a"]), .settle, .insert(["b"]), .removeDirectory, .settle, .insert(["c"]), .read, .settle]),
    ]

    private static let stocked: [Step] = [.open, .insert(["m", "n", "o", "p"], .medium), .settle, .close]
    private static let live: [Step] = [.open, .insert(["a"]), .settle, .insert(["b"], .medium), .insert(["c"])]
    private static let changes: [Step] = [
        .open, .insert(["a"], .large), .settle, .insert(["b"], .large), .settle, .insert(["c"], .large), .settle,
        .insert(["d"], .large), .settle, .insert(["e"]),
    ]
    private static let again: [Step] = [.open, .read, .insert(["r"]), .settle, .replace(["m"]), .settle, .close]
}
