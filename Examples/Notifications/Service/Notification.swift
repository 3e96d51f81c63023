// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Foundation
internal import WorkQueues

/// What somebody is to be told.
struct Notification: Codable, Hashable, Sendable {
    /// Its name, and the idempotency key that providers recognise it by.
    let id: String
    let user: String
    let template: String
    let values: [String: String]

    var bytes: [UInt8] {
        get throws { Array(try JSONEncoder().encode(self)) }
    }

    init(id: String, user: String, template: String, values: [String: String]) {
        (self.id, self.user, self.template, self.values) = (id, user, template, values)
    }

    init(_ bytes: [UInt8]) throws { self = try JSONDecoder().decode(Notification.self, from: Data(bytes)) }

    /// So many notifications, the same each time: thirty users, and one in thirty lacks a value of its template.
    static func examples(_ count: Int) -> [Notification] {
        (0..<count).map { number in
            let template = ["welcome", "receipt", "reminder"][number % 3]
            var values = ["name": "Customer \(number % 30)", "amount": "\(number).00 EUR", "place": "the station"]
            if number % 30 == 17 { values = [:] }
            return Notification(id: "n-\(number)", user: "user-\(number % 30)", template: template, values: values)
        }
    }
}

/// The texts, with the places for values.
enum Template {
    private static let texts = [
        "welcome": "Welcome, {name}!",
        "receipt": "{name}, you have paid {amount}. Thank you.",
        "reminder": "{name}, your parcel waits for you at {place}.",
    ]

    /// The text for a notification.
    static func text(for notification: Notification) throws(Unrenderable) -> String {
        guard let template = texts[notification.template] else {
            throw Unrenderable(description: "there is no template \(notification.template)")
        }
        // Every second part stands in braces.
        var text = ""
        for (index, part) in template.split(omittingEmptySubsequences: false, whereSeparator: { "{}".contains($0) })
            .enumerated()
        {
            guard index % 2 == 1 else {
                text += part
                continue
            }
            guard let value = notification.values[String(part)] else {
                throw Unrenderable(description: "the template \(notification.template) needs a value for \(part)")
            }
            text += value
        }
        return text
    }
}

/// No attempt makes a text of it.
struct Unrenderable: Permanent, Hashable, CustomStringConvertible {
    let description: String
}
