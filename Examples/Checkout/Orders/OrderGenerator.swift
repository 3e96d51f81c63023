// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

internal import Reliability

/// Makes the orders that come with the example: the same lines for the same seed and count, on every machine.
///
/// The shares are fixed, so that the result of a run can be checked against them: of 1,200 lines, 60 are exact
/// duplicates, 25 use the key of an earlier order for something else, 15 are malformed, 5 have an oversized field or
/// are oversized, 40 have a card that is always declined, 12 ask for an article that runs out. The others are good.
struct OrderGenerator {
    static let defaultSeed: UInt64 = 2026
    static let defaultCount = 1_200

    /// How many lines of each kind there are.
    struct Shares: Equatable {
        let duplicates, mismatches, malformed, oversized, declined, scarce, good: Int

        init(count: Int) {
            func share(_ of1200: Int) -> Int { count * of1200 / 1_200 }
            duplicates = share(60)
            mismatches = share(25)
            malformed = share(15)
            oversized = share(5)
            declined = share(40)
            scarce = share(12)
            good = count - duplicates - mismatches - malformed - oversized - declined - scarce
        }
    }

    private enum Kind { case duplicate, mismatch, malformed, oversized, declined, scarce, good }

    private let random: RandomSource
    private var made: [Order] = []
    private var malformed = 0
    private var oversized = 0
    private var scarce = 0

    private init(seed: UInt64) { random = .seeded(seed) }

    /// The lines, each with its line feed.
    ///
    /// - Parameter count: the number of lines, at least 0.
    static func lines(seed: UInt64 = defaultSeed, count: Int = defaultCount) -> [[UInt8]] {
        var generator = OrderGenerator(seed: seed)
        return generator.kinds(Shares(count: count)).map { generator.line($0) + [UInt8(ascii: "\n")] }
    }

    /// The kinds in their order: shuffled, but with good orders at first, since duplicates need something before them.
    private func kinds(_ shares: Shares) -> [Kind] {
        let first = min(20, shares.good)
        var rest: [Kind] = []
        for (kind, number) in [
            (Kind.duplicate, shares.duplicates), (.mismatch, shares.mismatches), (.malformed, shares.malformed),
            (.oversized, shares.oversized), (.declined, shares.declined), (.scarce, shares.scarce),
            (.good, shares.good - first),
        ] {
            rest += Array(repeating: kind, count: number)
        }
        for index in stride(from: rest.count - 1, to: 0, by: -1) {
            rest.swapAt(index, draw(index + 1))
        }
        return Array(repeating: .good, count: first) + rest
    }

    private mutating func line(_ kind: Kind) -> [UInt8] {
        switch kind {
        case .duplicate:
            // Every third repeats the newest order; the others go back any distance.
            let order = draw(3) == 0 ? made[made.count - 1] : made[draw(made.count)]
            return Self.json(order)
        case .mismatch:
            return Self.json(changed(made[draw(made.count)]))
        case .malformed:
            defer { malformed += 1 }
            return Self.malformedLine(malformed, like: order(card: goodCard()))
        case .oversized:
            defer { oversized += 1 }
            return Self.oversizedLine(oversized, like: order(card: goodCard()))
        case .declined:
            return Self.json(remembered(order(card: "tok_declined_" + Self.padded(draw(100), 2))))
        case .scarce:
            // One piece each, so that the number of orders that find none left does not depend on who comes first.
            defer { scarce += 1 }
            let sku = scarce % 4 == 3 ? "stamp-misprint" : "clock-antique"
            return Self.json(order(sku: sku, quantity: 1, card: goodCard()))
        case .good:
            return Self.json(remembered(order(card: goodCard())))
        }
    }

    private mutating func remembered(_ order: Order) -> Order {
        made.append(order)
        return order
    }

    /// The same key with another payload.
    private func changed(_ order: Order) -> Order {
        let more = draw(2) == 0
        return Order(
            id: order.id, customer: order.customer, sku: order.sku,
            quantity: more ? order.quantity % 5 + 1 : order.quantity,
            amountMinor: order.amountMinor + 1 + draw(5_000), currency: order.currency, card: order.card)
    }

    private func order(sku: String? = nil, quantity: Int? = nil, card: String) -> Order {
        let pieces = quantity ?? draw(5) + 1
        return Order(
            id: "order-" + Self.padded(draw(1_000_000_000), 9) + "-" + Self.padded(draw(1_000_000_000), 9),
            customer: ["Ada", "Björn", "Chloé", "Dilek", "Émile", "Fatou", "Goran", "Hana"][draw(8)]
                + " " + Self.padded(draw(10_000), 4),
            sku: sku ?? Stock.plentiful[draw(Stock.plentiful.count)], quantity: pieces,
            amountMinor: pieces * (150 + draw(9_850)), currency: ["EUR", "EUR", "USD", "GBP"][draw(4)], card: card)
    }

    private func goodCard() -> String { "tok_card_" + Self.padded(draw(100_000), 5) }

    /// A number from 0 up to, not including, the bound.
    private func draw(_ bound: Int) -> Int { Int(random.draw(upTo: Int64(bound) - 1)) }

    static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
