// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

import ReliabilityTesting
import Testing

@testable import class checkout.Child
@testable import enum checkout.Executable
@testable import payment_server

/// The built server itself, over real sockets, killed and started again.
///
/// One test after the other: each has hundreds of sockets, of which some systems give a process few.
@Suite(.serialized) struct PaymentServerTests {
    /// A server in a process of its own.
    private struct Server {
        let child: Child
        let port: UInt16

        /// - Parameter limit: A command of the shell before it, to limit what the server may use.
        init(_ directory: TemporaryDirectory, _ words: [String] = [], limit: String = "true") throws {
            let tests = Executable.path
            let program = tests[..<(try #require(tests.lastIndex(of: "/")))] + "/payment-server"
            guard unsafe access(String(program), X_OK) == 0 else {
                try Test.cancel("the program is not beside the tests")
            }
            child = try Child(
                executable: "/bin/sh",
                arguments: [
                    "-c", limit + " && exec \"$0\" \"$@\"", String(program), "--directory", directory.path + "/data",
                    "--until-input-ends",
                ] + words)
            guard case .line(let line) = try child.nextLine(timeout: .seconds(60)),
                let port = line.split(separator: ":").last.flatMap({ UInt16($0) })
            else { throw NoPort() }
            self.port = port
        }

        func send(_ text: String) throws -> Answer? {
            try Client.send([Array(text.utf8)], to: port, connections: 1)[0]
        }
    }

    private struct NoPort: Error {}

    /// One of the requests for a payment, which are all the same or ask for another amount under its key.
    private struct Duplicate {
        let key: String
        let amount: Int64

        var bytes: [UInt8] {
            let body = "{\"account\":\"acme\",\"amount\":\(amount),\"currency\":\"EUR\"}"
            return Array(
                ("POST /payments HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: \"\(key)\"\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)").utf8)
        }

        /// Twenty requests for each of fifty payments, in a mixed order; two of the twenty ask for another amount.
        static let thousand = (0..<1_000).map { number in
            let mixed = number * 389 % 1_000
            let (key, copy) = (mixed % 50, mixed / 50)
            return Duplicate(key: "payment-\(key)", amount: Int64(1_000 + key) * (copy.isMultiple(of: 10) ? 2 : 1))
        }
    }

    private static func ledger(_ directory: TemporaryDirectory) throws -> [LedgerLine] {
        let bytes = try Descriptor.open(directory.path + "/data/ledger.jsonl", O_RDONLY).read(upTo: 1 << 20)
        return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSON.decode(LedgerLine.self, from: Array($0)) }
    }

    /// Sends the duplicates again and again until each has an answer, and kills the server when it has given that many.
    private func answers(
        to duplicates: [Duplicate], _ directory: TemporaryDirectory, _ words: [String] = [], kills: [Int]
    ) throws -> [Answer] {
        var answers = [Answer?](repeating: nil, count: duplicates.count)
        var rounds = 0
        while answers.contains(nil) {
            try #require(rounds < kills.count + 1)
            let server = try Server(directory, ["--delay", "20", "--wait", "60000"] + words)
            let open = answers.indices.filter { answers[$0] == nil }
            let given = try Client.send(open.map { duplicates[$0].bytes }, to: server.port, connections: 200) { count in
                if rounds < kills.count, count == kills[rounds] { server.child.kill() }
            }
            for (index, answer) in zip(open, given) { answers[index] = answer }
            server.child.kill()
            _ = server.child.wait()
            rounds += 1
        }
        return answers.compactMap { $0 }
    }

    @Test func `a thousand duplicates charge each payment once, whenever the server is killed`() throws {
        let directory = try TemporaryDirectory()
        let all = Duplicate.thousand
        let answers = try answers(to: all, directory, kills: [0, 1, 5, 40, 200])

        let ledger = try Self.ledger(directory)
        #expect(ledger.count == 50)
        #expect(Set(ledger.map(\.key)).count == 50)
        for (key, copies) in Dictionary(grouping: zip(all, answers), by: \.0.key) {
            let bodies = Set(copies.filter { $0.1.status == 201 }.map(\.1.body))
            let body = try #require(bodies.count == 1 ? bodies.first : nil, "\(key): \(bodies)")
            let receipt = try JSON.decode(Receipt.self, from: Array(body.utf8))
            #expect(ledger.filter { $0.receipt == receipt }.count == 1)
            for (duplicate, answer) in copies {
                #expect(answer.status == (duplicate.amount == receipt.amount ? 201 : 422), "\(duplicate): \(answer)")
            }
        }

        // All of them once more: the same again, and nothing is charged.
        let server = try Server(directory)
        let again = try Client.send(all.map(\.bytes), to: server.port, connections: 200)
        for (first, second) in zip(answers, again) {
            #expect(second?.status == first.status && second?.body == first.body)
            #expect(second?.fields["idempotent-replayed"] == (first.status == 201 ? "true" : nil))
        }
        #expect(try server.send("GET /payments/unresolved HTTP/1.1\r\nHost: a\r\n\r\n")?.body == "{\"unresolved\":[]}")
        #expect(try Self.ledger(directory) == ledger)
    }

    private struct Page: Decodable {
        struct Execution: Decodable { let key, downstreamKey: String }
        let unresolved: [Execution]
        let next: String?
    }

    @Test func `with a provider that forgets, nobody is charged twice, and what is not known is listed`() throws {
        let directory = try TemporaryDirectory()
        let all = Duplicate.thousand
        // One payment at least is charged and not answered at a kill.
        let first = try Server(directory, ["--forgetful-provider", "--delay", "60000"])
        _ = try Client.send([all[0].bytes, all[0].bytes], to: first.port, connections: 2) { count in
            if count == 1 {
                // The duplicate was turned away; the charge itself may take another moment.
                for _ in 0..<100_000 where (try? Self.ledger(directory))?.isEmpty != false {}
                first.child.kill()
            }
        }
        _ = first.child.wait()
        let answers = try answers(to: all, directory, ["--forgetful-provider"], kills: [0, 1, 40])
        let ledger = try Self.ledger(directory)
        #expect(Set(ledger.map(\.key)).count == ledger.count)

        let server = try Server(directory, ["--forgetful-provider"])
        var listed: [Page.Execution] = []
        var query: String? = ""
        while let next = query {
            let answer = try server.send("GET /payments/unresolved\(next) HTTP/1.1\r\nHost: a\r\n\r\n")
            let page = try JSON.decode(Page.self, from: Array(try #require(answer).body.utf8))
            listed += page.unresolved
            query = page.next.map { "?after=\($0)" }
        }
        #expect(Set(listed.map(\.key)).count == listed.count)
        let charged = try #require(listed.first { $0.key == all[0].key })
        #expect(ledger.first?.key == charged.downstreamKey)
        for (key, copies) in Dictionary(grouping: zip(all, answers), by: \.0.key) {
            let receipts = Set(copies.filter { $0.1.status == 201 }.map(\.1.body))
            let execution = listed.first { $0.key == key }
            if let body = receipts.first {
                let receipt = try JSON.decode(Receipt.self, from: Array(body.utf8))
                #expect(receipts.count == 1 && execution == nil)
                #expect(ledger.filter { $0.receipt == receipt }.count == 1)
            } else {
                #expect(execution != nil)
                #expect(ledger.filter { $0.key == execution?.downstreamKey }.count <= 1)
            }
            for (_, answer) in copies where ![201, 422].contains(answer.status) {
                #expect(answer.status == 409 && answer.fields["retry-after"] == nil && receipts.isEmpty)
                #expect(answer.body.contains("idempotency-outcome-unknown"))
            }
        }
        // Whatever was charged is known to somebody: the client, or the list.
        let answered = Set(answers.filter { $0.status == 201 }.map(\.body)).count
        #expect(ledger.count <= answered + listed.count)
        #expect(try server.send("GET /payments/unresolved?after=x HTTP/1.1\r\nHost: a\r\n\r\n")?.status == 400)
    }

    @Test func `a duplicate that does not wait is told when to come again`() throws {
        let directory = try TemporaryDirectory()
        let payment = Duplicate(key: "k", amount: 100)
        var server = try Server(directory, ["--delay", "60000"])
        let answers = try Client.send([payment.bytes, payment.bytes], to: server.port, connections: 2) { count in
            if count == 1 { server.child.kill() }
        }
        // Until the process is gone, the directory is its.
        #expect(server.child.wait() == .signal(SIGKILL))
        let answer = try #require(answers.compactMap { $0 }.first)
        #expect(answer.status == 409 && answer.body.contains("idempotency-in-flight"))
        #expect((1...30).contains(Int(answer.fields["retry-after"] ?? "") ?? 0))
        #expect(answers.contains(nil))

        // The one that was under way is over with its process, and the payment is made now.
        server = try Server(directory)
        #expect(try Client.send([payment.bytes], to: server.port, connections: 1)[0]?.status == 201)
    }

    @Test func `a server that is told to stop answers what it has begun, and ends`() throws {
        let directory = try TemporaryDirectory()
        let server = try Server(directory, ["--delay", "200"])
        let payment = Duplicate(key: "k", amount: 100).bytes
        let health = Array("GET /health HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        // The first answer says that the connection is the server's.
        let answers = try Client.send([health, payment], to: server.port, connections: 1) { count in
            if count == 1 { kill(server.child.identifier, SIGTERM) }
        }
        #expect(answers.map { $0?.status } == [200, 201])
        #expect(answers[1]?.fields["connection"] == "close")
        #expect(server.child.wait() == .status(0))
        #expect(try Self.ledger(directory).count == 1)
    }

    @Test func `what is no request for a payment is refused, and the connection goes on where it can`() throws {
        let directory = try TemporaryDirectory()
        let server = try Server(directory)
        func post(_ fields: String, _ body: String) -> String {
            "POST /payments HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        let good = "{\"account\":\"acme\",\"amount\":1,\"currency\":\"EUR\"}"
        let rows: [(String, Int, String?)] = [
            ("GET /health HTTP/1.1\r\nHost: a\r\n\r\n", 200, nil),
            ("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404, nil),
            ("GET /payments HTTP/1.1\r\nHost: a\r\n\r\n", 405, nil),
            ("DELETE /health HTTP/1.1\r\nHost: a\r\n\r\n", 405, nil),
            (post("", good), 400, "idempotency-key-missing"),
            (post("Idempotency-Key: \"\"\r\n", good), 400, "idempotency-key-refused"),
            (post("Idempotency-Key: a\r\nIdempotency-Key: b\r\n", good), 400, "idempotency-key-refused"),
            (post("Idempotency-Key: a\r\n", "{}"), 400, "account, amount and currency"),
            (post("Idempotency-Key: a\r\n", good.replacing("EUR", with: "euro")), 400, "currency"),
            (post("Idempotency-Key: a\r\n", good), 201, nil),
        ]
        let requests = rows.map { Array($0.0.utf8) }
        let answers = try Client.send(requests, to: server.port, connections: 1)
        for (row, answer) in zip(rows, answers) {
            #expect(answer?.status == row.1, "\(row.0)")
            if let text = row.2 { #expect(answer?.body.contains(text) == true) }
        }
        for (text, status) in [
            ("POST /payments HTTP/1.1\r\nHost: a\r\n\r\n", 411),
            (post("Transfer-Encoding: chunked\r\n", good), 411),
            (post("", String(repeating: " ", count: 1 << 20)), 413),
            ("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 1 << 20))\r\n\r\n", 431),
            ("nonsense\r\n\r\n", 400),
        ] {
            let answer = try server.send(text)
            #expect(answer?.status == status)
            #expect(answer?.fields["connection"] == "close")
        }
    }

    @Test func `a server that may have few files open has fewer places, and what it needs itself`() throws {
        let directory = try TemporaryDirectory()
        let server = try Server(directory, limit: "ulimit -n 100")
        // As many as it may have open at all, and more.
        let clients = try (0..<120).map { _ in try RawClient(port: server.port) }
        let payment = String(decoding: Duplicate(key: "k", amount: 100).bytes, as: UTF8.self)
        func pay(_ client: RawClient) throws -> String {
            try client.send(payment)
            return try client.receive(through: "}")
        }
        // The first one has its place for a second; if the machine is slower, whoever comes next gets one in time.
        let answer = (try? pay(clients[0])).flatMap { $0.hasSuffix("}") ? $0 : nil }
        #expect(try (answer ?? pay(try RawClient(port: server.port))).hasPrefix("HTTP/1.1 201 "))
        withExtendedLifetime(clients) { server.child.closeInput() }
        #expect(server.child.wait() == .status(0))
    }

    @Test func `a directory and a port are used by one server at a time`() throws {
        let (directory, other) = (try TemporaryDirectory(), try TemporaryDirectory())
        let server = try Server(directory)
        #expect(throws: NoPort.self) { try Server(directory) }
        #expect(throws: NoPort.self) { try Server(other, ["--port", String(server.port)]) }
        #expect(try server.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")?.status == 200)
        server.child.closeInput()
        #expect(server.child.wait() == .status(0))
    }
}
