// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ExampleProcesses
internal import Foundation
internal import WorkQueues

@main
enum Notifications {
    static let help = """
        USAGE: notifications DIRECTORY [--count N] [--crashes N]
               notifications status DIRECTORY

        Sends notifications through two providers, each in a process of its own, and shows at the end what became of them.
        What is in the directory stays, and another run goes on from there.

          --count N     how many notifications (300)
          --crashes N   how often the service is killed in the middle and started again (0)

        status: the table of all notifications of a run that has ended
        """

    static func main() async {
        do {
            switch try Command(Array(CommandLine.arguments.dropFirst())) {
            case .help: print(help)
            case .run(let options):
                let audit = try await NotificationRun(options: options).run()
                print(audit.table)
                guard audit.isSound else { throw Failure(description: "the books do not fit") }
            case .status(let directory): try await showStatus(of: directory)
            case .service(let records, let count, let sockets): try await serve(records, count, sockets)
            case .provider(let socket, let ledger, let faults):
                var server = try ProviderServer(socket: socket, ledger: ledger, faults: faults)
                tell("ready")
                try server.run()
            }
        } catch {
            FileHandle.standardError.write(Data("notifications: \(error)\n".utf8))
            exit(1)
        }
    }

    /// Takes the notifications, and sends until none is left; tells of each that is settled.
    private static func serve(_ records: String, _ count: Int, _ sockets: [String]) async throws {
        exitWithParent()
        let clients = Dictionary(uniqueKeysWithValues: zip(ProviderName.allCases, sockets.map(ProviderClient.init)))
        let store = try FileRecordStore(directory: records)
        let (settled, signal) = AsyncStream.makeStream(of: Void.self)
        let onSettled: @Sendable () -> Void = {
            tell("settled")
            signal.yield()
        }
        let service = NotificationService(store: store, onSettled: onSettled) { name in
            { key, user, text in await clients[name]?.send(key: key, user: user, text: text) ?? .unreachable }
        }
        let consumer = service.consumer()
        async let running: Void = consumer.run()
        for notification in Notification.examples(count) { try await service.take(notification) }
        // One of an earlier life may have been the last.
        signal.yield()
        for await _ in settled where try await service.depth == 0 { break }
        consumer.shutDown()
        try await running
        try await store.close()
    }

    private static func showStatus(of directory: String) async throws {
        let store = try FileRecordStore(directory: Workplace(directory: directory).records)
        for row in try await StatusTable(store: store).rows() {
            print(row.id, row.user, row.template, row.state, row.via.map { "\($0)" } ?? "-", separator: "\t")
        }
        try await store.close()
    }
}
