// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// A moment by which something is to be over.
///
/// A deadline is absolute: it is made once, at the edge of the service, and every layer below asks it only for what
/// remains. Layers do not add up their own limits, and attempts do not begin them anew.
///
/// ```swift
/// let deadline = Deadline.after(.seconds(2), name: "request")
/// let quote = try await deadline.run { try await quotes.fetch() }
/// ```
///
/// While an operation runs under a deadline it is ``current``, for everything that the operation calls, and for its child
/// tasks: an inner ``Timeout`` ends no later, and a retry stops instead of sleeping past it. Of several that nest the
/// earliest counts, and the outer one of those that pass at the same instant.
///
/// A deadline carries the clock that it was made with, so deadlines of different clocks can be compared: by what remains
/// of each.
public struct Deadline: Sendable {
    /// What errors and events call it; empty if it has no name.
    public let name: String
    /// How long it was until the deadline when it was made; zero if it had passed then.
    public let limit: Duration
    let time: TimeSource
    let end: Int64
    /// Whether what finds it as ``current`` is cancelled when it passes: by a run, and not where it is only bound.
    package private(set) var cancels = false

    /// A deadline that is so long from now.
    ///
    /// - Parameters:
    ///   - limit: How long from now; what is not longer than zero has passed already.
    ///   - name: What errors and events call it.
    ///   - clock: What the time is measured with; by default the system's continuous clock, which goes on while the
    ///     system sleeps.
    public static func after(
        _ limit: Duration, name: String = "", clock: any Clock<Duration> = ContinuousClock()
    ) -> Deadline {
        Deadline(limit, name, TimeSource(clock))
    }

    package init(_ limit: Duration, _ name: String, _ time: TimeSource) {
        self.name = name
        self.limit = max(limit, .zero)
        self.time = time
        end = time.now().addingSaturating(self.limit.nanosecondsRoundedUp)
    }

    /// How long it is until the deadline; zero once it has passed.
    public var remaining: Duration { .nanoseconds(max(0, left)) }

    /// Whether it has passed: at the moment itself and from then on.
    public var hasPassed: Bool { time.now() >= end }

    /// The earliest of the deadlines that the running operation is under; `nil` if it is under none.
    ///
    /// It is a task-local value, so an unstructured `Task { }` that the operation starts is under it too, also after the
    /// operation has ended. Start what shall outlive the operation in ``withoutCurrent(_:)``, or in a detached task.
    public static var current: Deadline? { around }

    @TaskLocal static var around: Deadline?

    /// The one of the two that passes first; the other if they pass at the same instant.
    func orEarlier(_ other: Deadline?) -> Deadline {
        guard let other else { return self }
        // In this order the time that a reading takes favours the other.
        let left = left
        return other.left <= left ? other : self
    }

    var cancelling: Deadline {
        var deadline = self
        deadline.cancels = true
        return deadline
    }

    /// How long it is until the deadline; less than zero once it has passed.
    private var left: Int64 { end.subtractingSaturating(time.now()) }

    /// Whether both were made as one, or pass at one instant of one clock.
    func isSame(as other: Deadline) -> Bool { end == other.end && time.isCopy(of: other.time) }
}

extension Deadline: CustomStringConvertible {
    /// The name and the limit, such as `request (2.0 seconds)`.
    public var description: String { name.isEmpty ? "\(limit)" : "\(name) (\(limit))" }
}
