// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What the shop has before the first order.
enum Stock {
    /// The number of pieces of each article at the start.
    ///
    /// There is plenty of most; the bundled orders ask for more of the last two than there is.
    static let initial: [String: Int] = Dictionary(uniqueKeysWithValues: plentiful.map { ($0, 20_000) })
        .merging(scarce) { _, scarce in scarce }

    /// The articles that the bundled orders cannot use up, in a fixed order.
    static let plentiful = [
        "book-atlas", "book-novel", "book-poems", "cup-blue", "cup-white", "lamp-desk", "lamp-floor", "mat-cork",
        "mat-wool", "pen-black", "pen-blue", "pen-green", "plant-fern", "plant-ivy", "poster-city", "poster-sea",
        "soap-lemon", "soap-olive",
    ]

    /// The articles that run out.
    static let scarce = ["clock-antique": 5, "stamp-misprint": 0]
}
