// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// A number of commits, for people.
func commits(_ number: Int) -> String {
    let digits = Array(String(number))
    let grouped = digits.indices.map { index in
        index > 0 && (digits.count - index) % 3 == 0 ? ",\(digits[index])" : "\(digits[index])"
    }
    return "\(grouped.joined()) acknowledged commits"
}

/// Every error of a disk names the file concerned: one of the store's, or a directory that it is in.
func expectFileNames(in story: Story) throws(TrialFailed) {
    for error in story.errors + story.notices {
        switch error.kind {
        case .refused, .closed: continue
        case .full, .unavailable, .outcomeUnknown, .inUse, .damaged, .missing, .occupied, .unsupportedFormat, .failed,
            .compactionFailed:
            let parent = story.directory.split(separator: "/").dropLast().map { "/\($0)" }.joined()
            guard !parent.isEmpty, error.subject.hasPrefix(parent), error.text.contains(error.subject) else {
                throw story.failure("an error does not name its file: \(error.text)")
            }
        }
    }
}
