// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// The two providers: the first is asked first.
enum ProviderName: String, Hashable, Sendable, CaseIterable {
    case first
    case second
}

/// What a provider came to.
enum ProviderAnswer: Hashable, Sendable {
    /// It has sent the message, now or before.
    case sent
    /// It has not sent it, and will not. It says so only of a key that it does not know, so no earlier request has sent
    /// it either.
    case refused
    /// The request did not reach it.
    case unreachable
    /// The request was made and there is no answer: it may have sent the message.
    case unknown
}

/// Decides where an attempt goes on. Pure.
///
/// Two providers do not know each other's keys. So a message goes to the second only if the first has surely not sent it,
/// and where that is not known, the first is asked until it is.
enum Route {
    enum Step: Hashable, Sendable {
        case done
        case fallBack
        /// By another attempt, at the same provider.
        case tryAgain
    }

    /// - Parameter mayHaveSent: Whether an earlier attempt made a request to that provider, and may not have heard of
    ///   its end.
    static func step(after answer: ProviderAnswer, of provider: ProviderName, mayHaveSent: Bool) -> Step {
        switch (answer, provider) {
        case (.sent, _): .done
        case (.unknown, _), (_, .second): .tryAgain
        case (.refused, .first): .fallBack
        case (.unreachable, .first): mayHaveSent ? .tryAgain : .fallBack
        }
    }
}

/// Neither provider has sent the message; the queue tries again.
struct NotSent: Error, Hashable, CustomStringConvertible {
    let provider: ProviderName
    let answer: ProviderAnswer
    var description: String { "the \(provider) provider: \(answer)" }
}
