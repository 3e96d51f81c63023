// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import RecordStores

/// An event as one line of text: a verb, and words that are separated by single blanks.
extension Event {
    var line: String {
        switch self {
        case .opened(let lastEnd): "opened \(lastEnd)"
        case .stands(let standing):
            "stands \(word(standing.id, standing.version)) \(standing.changedUnder.map { "\($0.rawValue)" } ?? "-")"
        case .whole: "whole"
        case .attempt(let number, let steps): words("attempt \(number)", steps.map(word))
        case .committed(let number, let fences): words("committed \(number)", fences.map { "\($0.rawValue)" })
        case .conflict(let number, let sighting): "conflict \(number) \(word(sighting.id, sighting.version))"
        case .asking(let number): "asking \(number)"
        case .answered(let number, let seen): words("answered \(number)", seen.map { word($0.id, $0.version) })
        case .claiming(let number): "claiming \(number)"
        case .claimed(let number, let seen): words("claimed \(number)", seen.map { word($0.id, $0.version) })
        case .failed(let number, let error): "failed \(number) \(words(error))"
        case .notOpened(let error): "not-opened \(words(error))"
        case .compacted: "compacted"
        case .told(let error): "told \(words(error))"
        case .powerCut: "power-cut"
        case .closed: "closed"
        case .notClosed(let error): "not-closed \(words(error))"
        }
    }

    /// The event of a line; `nil` if the line is none.
    init?(_ line: some StringProtocol) {
        var rest = line.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }[...]
        guard let verb = rest.popFirst() else { return nil }
        switch verb {
        case "opened":
            guard !rest.isEmpty else { return nil }
            self = .opened(lastEnd: rest.joined(separator: " "))
            rest = []
        case "stands":
            guard let word = rest.popFirst(), let sighting = Sighting(word: word), let version = sighting.version,
                let under = rest.popFirst()
            else { return nil }
            self = .stands(Standing(id: sighting.id, version: version, changedUnder: Fence(word: under)))
        case "whole": self = .whole
        case "compacted": self = .compacted
        case "power-cut": self = .powerCut
        case "closed": self = .closed
        case "told", "not-opened", "not-closed":
            guard let error = ReportedError(words: &rest) else { return nil }
            self = verb == "told" ? .told(error) : verb == "not-opened" ? .notOpened(error) : .notClosed(error)
        default:
            guard let word = rest.popFirst(), let number = UInt64(word) else { return nil }
            self.init(verb, number, &rest)
        }
        guard rest.isEmpty else { return nil }
    }

    /// The events of operations, which have a number.
    private init?(_ verb: String, _ number: UInt64, _ rest: inout ArraySlice<String>) {
        if verb == "failed" {
            guard let error = ReportedError(words: &rest) else { return nil }
            self = .failed(number, error)
            return
        }
        let words = rest
        rest = []
        switch verb {
        case "asking" where words.isEmpty: self = .asking(number)
        case "claiming" where words.isEmpty: self = .claiming(number)
        case "attempt":
            let steps = words.compactMap { Step(word: $0) }
            guard steps.count == words.count else { return nil }
            self = .attempt(number, steps)
        case "committed":
            let fences = words.compactMap { Fence(word: $0) }
            guard fences.count == words.count else { return nil }
            self = .committed(number, fences)
        case "answered", "claimed", "conflict":
            let seen = words.compactMap { Sighting(word: $0) }
            guard seen.count == words.count else { return nil }
            switch verb {
            case "answered": self = .answered(number, seen)
            case "claimed": self = .claimed(number, seen)
            default:
                guard let standing = seen.first, seen.count == 1 else { return nil }
                self = .conflict(number, standing)
            }
        default: return nil
        }
    }
}

private func words(_ start: String, _ rest: [String]) -> String { ([start] + rest).joined(separator: " ") }

private func words(_ error: ReportedError) -> String {
    let subject = error.subject.isEmpty ? "-" : error.subject.split(separator: " ").joined(separator: "_")
    return "\(error.kind.rawValue) \(error.pid.map { "\($0)" } ?? "-") \(subject) \(error.text)"
}

private func word(_ id: RecordID, _ version: Version?) -> String {
    "\(id)@\(version.map { "\($0.fence.rawValue)#\($0.number)" } ?? "-")"
}

private func word(_ step: Step) -> String {
    switch step {
    case .insert(let id): "+\(id)"
    case .replace(let id, let expected): "=\(id)@\(expected.rawValue)"
    case .delete(let id, let expected): "-\(id)@\(expected.rawValue)"
    }
}

extension ReportedError {
    /// The error at the start of the words, and its text to their end.
    fileprivate init?(words: inout ArraySlice<String>) {
        guard let kind = words.popFirst().flatMap({ Kind(rawValue: $0) }), let pid = words.popFirst(),
            let subject = words.popFirst()
        else { return nil }
        self.init(
            kind: kind, pid: Int32(pid), subject: subject == "-" ? "" : subject, text: words.joined(separator: " "))
        words = []
    }
}

extension Fence {
    fileprivate init?(word: some StringProtocol) {
        guard let value = UInt64(word) else { return nil }
        self.init(rawValue: value)
    }
}

extension RecordID {
    fileprivate init?(word: some StringProtocol) {
        guard let slash = word.firstIndex(of: "/") else { return nil }
        self.init(String(word[..<slash]), String(word[word.index(after: slash)...]))
    }
}

extension Sighting {
    fileprivate init?(word: String) {
        guard let at = word.lastIndex(of: "@"), let id = RecordID(word: word[..<at]) else { return nil }
        let rest = word[word.index(after: at)...]
        guard rest != "-" else {
            self.init(id: id, version: nil)
            return
        }
        guard let hash = rest.firstIndex(of: "#"), let fence = Fence(word: rest[..<hash]),
            let number = UInt64(rest[rest.index(after: hash)...])
        else { return nil }
        self.init(id: id, version: Version(fence: fence, number: number))
    }
}

extension Step {
    fileprivate init?(word: String) {
        let rest = word.dropFirst()
        if word.first == "+" {
            guard let id = RecordID(word: rest) else { return nil }
            self = .insert(id)
            return
        }
        guard let at = rest.lastIndex(of: "@"), let id = RecordID(word: rest[..<at]),
            let expected = Fence(word: rest[rest.index(after: at)...])
        else { return nil }
        switch word.first {
        case "=": self = .replace(id, expecting: expected)
        case "-": self = .delete(id, expecting: expected)
        default: return nil
        }
    }
}
