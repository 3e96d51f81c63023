// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

extension Command {
    static let helpText = """
        usage: checkout [FILE|-] [options]
               checkout provider --socket PATH --ledger PATH [options]
               checkout provider-check
               checkout generate-orders [--seed N] [--count N]

        Processes orders, JSON Lines from the file, from standard input, or those that come with the example, against
        a payment provider in a process of its own, and shows at the end what became of them.
          --crashes N                kill the checkout that often and start it again (0)
          --directory DIR            where its stores and the provider's ledger are kept, so that another run goes on
                                     from there; without it they are removed at the end
          --honour-keys true|false   whether the provider charges once for the same idempotency key (true)
          --concurrency N            orders under way at a time (32)
          --rate N                   orders started in a second (500)
          --seed N                   for the crashes and the provider's faults (1)

        provider: a payment provider with its own ledger, until standard input ends or SIGTERM
          --socket PATH              the Unix-domain socket to listen at
          --ledger PATH              the ledger, JSON Lines
          --honour-keys true|false   charge once for the same idempotency key (true)
          --seed N                   for the faults (1)
          --faults RATES             usual, none, or shares of the requests (usual), such as
                                     refused=0.05,late=0.05,silent=0.01,silent-afterwards=0.01,lost=0.03

        provider-check: starts a provider, loses a reply, kills it, and checks its ledger

        generate-orders: writes the orders that come with the example
          --seed N                   (2026)
          --count N                  the number of lines (1200)
        """
}
