// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

internal import Idempotency

@main
enum PaymentServer {
    static func main() async {
        let words = CommandLine.arguments.dropFirst()
        if words.contains("--help") { return write(Options.help, to: STDOUT_FILENO) }
        do {
            try await serve(try Options(words))
        } catch let failure as Failure {
            fail(failure)
        } catch {
            fail(Failure(description: "\(error)", exitCode: .failed))
        }
    }

    /// Serves until it is told to stop; every request that has begun to come gets its answer before the end.
    private static func serve(_ options: Options) async throws {
        signal(SIGPIPE, SIG_IGN)
        var stops = [try StopSignals.install()]
        if options.endsWithInput { stops.append(try Descriptor("dup", owning: dup(STDIN_FILENO))) }
        let store = try open(options)
        let provider = try provider(options)
        let service = PaymentService(store, provider, options)
        let server: HTTPServer
        do { server = try HTTPServer(port: options.port, stops: stops) } catch {
            throw Failure.cannotUse("the port \(options.port)", error)
        }
        server.start { fail(.cannotUse("the network", $0)) }
        write("listening on 127.0.0.1:\(server.port)", to: STDOUT_FILENO)

        async let _: Void = service.purge(every: .seconds(60))
        await withDiscardingTaskGroup { group in
            for await exchange in server.requests {
                group.addTask { server.answer(exchange, with: await service.respond(to: exchange.request)) }
            }
        }
        try await store.close()
    }

    /// The store, which one process at a time has open; the ledger beside it is that process's as well.
    private static func open(_ options: Options) throws(Failure) -> FileRecordStore {
        do {
            let isThere = unsafe mkdir(options.directory, 0o700) == 0 || errno == EEXIST
            guard isThere else { throw SystemError.last("mkdir") }
            return try FileRecordStore(directory: options.directory + "/records")
        } catch {
            throw .cannotUse("the directory \(options.directory)", error)
        }
    }

    private static func provider(_ options: Options) throws(Failure) -> PaymentProvider {
        let path = options.directory + "/ledger.jsonl"
        do {
            return try PaymentProvider(
                ledger: path, honoursKeys: !options.isProviderForgetful, delay: options.delay)
        } catch {
            throw .cannotUse("the ledger \(path)", error)
        }
    }

    private static func write(_ line: String, to stream: Int32) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe systemWrite(stream, $0.baseAddress, $0.count) }
    }

    private static func fail(_ failure: Failure) -> Never {
        write("payment-server: \(failure)", to: STDERR_FILENO)
        exit(failure.exitCode.rawValue)
    }
}
