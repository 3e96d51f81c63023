// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import ExampleProcesses
internal import Foundation

/// Asks a provider to send messages.
struct ProviderClient: Sendable {
    private static let seconds = 5

    let socket: String

    func send(key: String, user: String, text: String) async -> ProviderAnswer {
        let message = SentMessage(key: key, user: user, text: text)
        return await onThread { ask(message) }
    }

    private func ask(_ message: SentMessage) -> ProviderAnswer {
        guard let line = try? JSONEncoder().encode(message),
            let connection = try? UnixSocket.connect(to: socket, seconds: Self.seconds),
            // A line without its end is no request.
            (try? connection.send(Array(line))) != nil
        else { return .unreachable }
        return switch connection.line().map({ String(decoding: $0, as: UTF8.self) }) {
        case "sent": .sent
        case "refused": .refused
        default: .unknown
        }
    }
}
