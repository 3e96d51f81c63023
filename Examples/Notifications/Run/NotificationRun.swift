// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ExampleProcesses
internal import Foundation
internal import WorkQueues

/// A whole run: two providers and the service, each in a process of its own; the service is killed as often as wanted,
/// and at the end the books are compared.
struct NotificationRun {
    let options: Options

    func run() async throws -> Audit {
        let place = Workplace(directory: options.directory)
        try place.prepare()
        let notifications = Notification.examples(options.count)

        let faults = [
            ProviderName.first: ProviderLedger.Faults(refused: 5, lost: 7), .second: .init(refused: 0, lost: 7),
        ]
        var providers: [Child] = []
        defer { for provider in providers { provider.stop() } }
        for name in ProviderName.allCases {
            let fault = faults[name] ?? .init()
            let provider = try Child([
                "provider", place.socket(name), place.ledger(name), String(fault.refused), String(fault.lost),
            ])
            providers.append(provider)
            guard provider.line() == "ready" else { throw Failure(description: "the \(name) provider did not start") }
        }
        let crashes = try serve(place)
        let store = try FileRecordStore(directory: place.records)
        let audit = try await Audit(notifications, place, store, crashes: crashes)
        try await store.close()
        return audit
    }

    /// Starts the service until it has done everything; returns how often it was killed.
    private func serve(_ place: Workplace) throws -> Int {
        // In each life but the last it settles an equal share.
        let share = max(1, options.count / (options.crashes + 1))
        for life in 0...options.crashes {
            let service = try Child(
                ["service", place.records, String(options.count)] + ProviderName.allCases.map(place.socket))
            var settled = 0
            while service.line() != nil {
                settled += 1
                guard life < options.crashes, settled == share else { continue }
                service.kill()
            }
            // One that has done everything before its time ends by itself.
            if life == options.crashes || settled < share {
                try service.requireSuccess("service")
                return life
            }
        }
        return options.crashes
    }
}

/// Where things are in the directory of a run.
struct Workplace {
    let directory: String

    var records: String { directory + "/records" }

    func socket(_ name: ProviderName) -> String { "\(directory)/\(name).sock" }

    func ledger(_ name: ProviderName) -> String { "\(directory)/\(name).jsonl" }

    func prepare() throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }
}
