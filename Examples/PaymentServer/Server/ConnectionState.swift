// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Idempotency

/// What happens on one connection: the pure core, to which somebody brings bytes, answers and the time.
///
/// One request at a time: while one is answered nothing more is read, so a client cannot make the server hold more than
/// one request and the bytes that came with it. Every wait for the client has an end.
struct ConnectionState {
    /// How long the server waits for a client.
    enum Patience {
        /// For the next request.
        static let idle = Duration.seconds(60)
        /// For the whole of a request, from its first byte on.
        static let request = Duration.seconds(10)
        /// For the client to take a response.
        static let response = Duration.seconds(10)
        /// For the client to close, once it has everything.
        static let farewell = Duration.seconds(2)
        /// For a request, whether it has begun to come or not, while others wait to be let in.
        static let crowded = Duration.seconds(1)
    }

    /// What the connection is at, since when; times are nanoseconds of the server's clock.
    private enum Phase: Equatable {
        /// Nothing of a next request is there.
        case idle(since: Int64)
        /// A request has begun to come.
        case reading(since: Int64)
        /// A request is answered by somebody else.
        case answering
        /// A response is sent.
        case sending(since: Int64)
        /// All is sent and the client knows that. What it still sends is dropped, because closing with bytes unread
        /// would reset the connection, and take the response away from it.
        case leaving(since: Int64)
        case closed
    }

    /// What is to be done next.
    enum Action: Equatable {
        case none
        case handle(HTTPRequest)
        /// Tell the client that nothing more comes.
        case endOutput
        case close
    }

    private var phase: Phase
    private var parser = RequestParser()
    private var isLast = false
    private var isHead = false
    /// What is to be sent.
    private(set) var unsent: ArraySlice<UInt8> = []

    init(now: Int64) { phase = .idle(since: now) }

    /// Whether somebody is answering a request.
    var isAnswering: Bool { phase == .answering }

    var wantsInput: Bool {
        switch phase {
        case .idle, .reading, .leaving: true
        case .answering, .sending, .closed: false
        }
    }

    /// When ``expire(now:)`` is to be called, unless something happens before.
    var deadline: Int64? {
        switch phase {
        case .idle(let since): since.adding(Patience.idle)
        case .reading(let since): since.adding(Patience.request)
        case .sending(let since): since.adding(Patience.response)
        case .leaving(let since): since.adding(Patience.farewell)
        case .answering, .closed: nil
        }
    }

    /// From when on the connection may be closed to let somebody else in: only while it is the client's turn, so that
    /// no request is lost that has come as a whole, and no response. The longer the client has waited, the earlier.
    var yieldsAt: Int64? {
        switch phase {
        case .idle(let since), .reading(let since): since.adding(Patience.crowded)
        case .answering, .sending, .leaving, .closed: nil
        }
    }

    /// Takes what the client sent; nothing at the end of it.
    mutating func receive(_ bytes: [UInt8], now: Int64) -> Action {
        switch phase {
        case .idle, .reading:
            if bytes.isEmpty { return close() }
            parser.append(bytes)
            return proceed(now)
        case .leaving: return bytes.isEmpty ? close() : .none
        case .answering, .sending, .closed: preconditionFailure("Nothing is read in the phase \(phase)")
        }
    }

    /// Takes the answer to the request that was handed over; one that comes too late is dropped.
    mutating func answer(_ response: HTTPResponseRecord, now: Int64) {
        guard phase == .answering else { return }
        send(response, now)
    }

    /// Notes that so many bytes were sent.
    mutating func sent(_ count: Int, now: Int64) -> Action {
        unsent = unsent.dropFirst(count)
        guard case .sending = phase, unsent.isEmpty else { return .none }
        guard isLast else {
            phase = .idle(since: now)
            return proceed(now)
        }
        phase = .leaving(since: now)
        return .endOutput
    }

    /// Ends what the client has no more time for.
    mutating func expire(now: Int64) -> Action {
        guard let deadline, deadline <= now else { return .none }
        switch phase {
        case .reading:
            refuse(.tooSlow, now)
            return .none
        case .idle, .sending, .leaving: return close()
        case .answering, .closed: preconditionFailure("The phase \(phase) has no deadline")
        }
    }

    /// Lets the connection end after the request that is under way, or at once if there is none.
    mutating func drain() -> Action {
        isLast = true
        if case .idle = phase { return close() }
        return .none
    }

    private mutating func proceed(_ now: Int64) -> Action {
        do throws(HTTPRefusal) {
            if let request = try parser.next() {
                isLast = isLast || !request.keepsAlive
                isHead = request.method == "HEAD"
                phase = .answering
                return .handle(request)
            }
        } catch {
            refuse(error, now)
            return .none
        }
        if !parser.isEmpty, case .idle = phase { phase = .reading(since: now) }
        return .none
    }

    private mutating func refuse(_ refusal: HTTPRefusal, _ now: Int64) {
        (isLast, isHead) = (true, false)
        send(refusal.response, now)
    }

    private mutating func send(_ response: HTTPResponseRecord, _ now: Int64) {
        unsent = response.message(closes: isLast, isHead: isHead)[...]
        phase = .sending(since: now)
    }

    private mutating func close() -> Action {
        phase = .closed
        return .close
    }
}

extension Int64 {
    fileprivate func adding(_ duration: Duration) -> Int64 {
        addingReportingOverflow(duration.nanosecondsRoundedUp).partialValue
    }
}
