// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// One line of the table: what is measured, and against what.
struct Row: Sendable {
    /// How many operations one sample takes.
    enum Count: Sendable {
        /// As many as fill the time of a sample, found out while warming up.
        case calibrated
        /// Always so many, because the cost depends on how many there are; fewer in a smoke run.
        case fixed(Int, smoke: Int)
    }

    /// A figure beside the time per operation.
    struct Detail: Sendable {
        let name: String
        let value: Double
        /// `ns` for times, empty for numbers.
        let unit: String
    }

    let module: String
    let name: String
    /// The name of the row whose time the ratio is taken against; `nil` for a floor itself.
    let floor: String?
    let count: Count
    /// How many samples are taken at most; `nil`: as many as of the others.
    let rounds: Int?
    /// Whether the row writes files.
    let usesFiles: Bool
    let sample: @Sendable (Meter) async throws -> Sample
    /// Takes the details in a run of their own, so that taking them does not cost the samples anything.
    let details: (@Sendable (Meter) async throws -> [Detail])?

    init(
        _ module: String, _ name: String, floor: String?, count: Count = .calibrated, rounds: Int? = nil,
        usesFiles: Bool = false,
        details: (@Sendable (Meter) async throws -> [Detail])? = nil,
        sample: @escaping @Sendable (Meter) async throws -> Sample
    ) {
        self.module = module
        self.name = name
        self.floor = floor
        self.count = count
        self.rounds = rounds
        self.usesFiles = usesFiles
        self.sample = sample
        self.details = details
    }

    /// The module and the name, which `--filter` looks into.
    var title: String { "\(module)/\(name)" }

    /// Every row, floors first.
    static let all =
        floors + diskFloors + core + rateLimiting + circuitBreaking + retrying + recordStores + fileRecordStores
        + idempotency + workQueues + sagas
}
