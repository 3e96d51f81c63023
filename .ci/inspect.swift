// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

// Reads what the toolchain says about the package, so that the checks need no other tool:
//
//     inspect modules < describe.json      the modules of the library products, each after those it depends on
//     inspect surface <graph>...           the public symbols in symbol graphs of one module, a sorted line each

import Foundation

/// The output of `swift package describe --type json`.
struct Description: Decodable {
    struct Target: Decodable {
        var name: String
        var path: String
        var targetDependencies: [String]?
        var productMemberships: [String]?
    }

    struct Product: Decodable {
        /// One key that says the type, such as `library` or `executable`.
        var type: [String: [String]?]
        var name: String
    }

    var targets: [Target]
    var products: [Product]

    /// The targets of library products, each after those it depends on.
    func modules() -> [Target] {
        let libraries = Set(products.filter { $0.type.keys.contains("library") }.map(\.name))
        let byName = Dictionary(uniqueKeysWithValues: targets.map { ($0.name, $0) })
        var ordered: [Target] = []
        var visited: Set<String> = []
        func visit(_ name: String) {
            guard visited.insert(name).inserted, let target = byName[name] else { return }
            for dependency in (target.targetDependencies ?? []).sorted() { visit(dependency) }
            ordered.append(target)
        }
        for name in byName.keys.sorted() { visit(name) }
        return ordered.filter { !libraries.isDisjoint(with: $0.productMemberships ?? []) }
    }
}

/// The parts of a symbol graph that make up a module's public surface.
struct SymbolGraph: Decodable {
    struct Symbol: Decodable {
        struct Kind: Decodable { var identifier: String }
        struct Identifier: Decodable { var precise: String }
        struct Fragment: Decodable { var spelling: String }
        struct Extension: Decodable {
            var extendedModule: String
            var constraints: [Constraint]?
        }
        struct Availability: Decodable {
            var domain: String?
            var isUnconditionallyDeprecated: Bool?
            var isUnconditionallyUnavailable: Bool?
        }

        var kind: Kind
        var identifier: Identifier
        var pathComponents: [String]
        var declarationFragments: [Fragment]?
        var swiftExtension: Extension?
        var availability: [Availability]?
    }

    struct Relationship: Decodable {
        var kind: String
        var source: String
        var target: String
        var targetFallback: String?
        var swiftConstraints: [Constraint]?
    }

    struct Constraint: Decodable {
        var kind: String
        var lhs: String
        var rhs: String

        var text: String {
            switch kind {
            case "conformance", "superclass": "\(lhs): \(rhs)"
            case "sameType": "\(lhs) == \(rhs)"
            default: "\(lhs) \(kind) \(rhs)"
            }
        }
    }

    struct Module: Decodable { var name: String }

    var module: Module
    var symbols: [Symbol]
    var relationships: [Relationship]
}

/// One line for each public symbol and each conformance, sorted by path, then by text.
func surface(of graphs: [SymbolGraph]) -> [String] {
    let symbols = graphs.flatMap { graph in graph.symbols.map { (symbol: $0, module: graph.module.name) } }
    let relationships = graphs.flatMap(\.relationships)
    let requirements = Set(relationships.filter { $0.kind == "requirementOf" }.map(\.source))
    var paths: [String: String] = [:]
    for (symbol, module) in symbols {
        // What stands in an extension of another module's type carries that module's name.
        let owner = symbol.swiftExtension.map(\.extendedModule).flatMap { $0 == module ? nil : $0 }
        paths[symbol.identifier.precise] = ((owner.map { [$0] } ?? []) + symbol.pathComponents).joined(separator: ".")
    }
    var lines: [String] = []
    for (symbol, _) in symbols where symbol.kind.identifier != "swift.extension" {
        let kind = symbol.kind.identifier.replacing("swift.", with: "", maxReplacements: 1)
        let role = requirements.contains(symbol.identifier.precise) ? "requirement " : ""
        let declaration = (symbol.declarationFragments ?? []).map(\.spelling).joined()
        var line = "\(paths[symbol.identifier.precise] ?? "") [\(role)\(kind)] \(declaration)"
        line += clause(symbol.swiftExtension?.constraints)
        for availability in symbol.availability ?? [] {
            if availability.isUnconditionallyDeprecated == true { line += " // deprecated" }
            if availability.isUnconditionallyUnavailable == true { line += " // unavailable" }
        }
        lines.append(line)
    }
    for relationship in relationships where ["conformsTo", "inheritsFrom"].contains(relationship.kind) {
        // Every Sendable type is one: not worth a line.
        if relationship.targetFallback == "Swift.SendableMetatype" { continue }
        let source = paths[relationship.source] ?? relationship.source
        let target = paths[relationship.target] ?? relationship.targetFallback ?? relationship.target
        lines.append("\(source) [conformance] \(target)\(clause(relationship.swiftConstraints))")
    }
    return lines.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

func clause(_ constraints: [SymbolGraph.Constraint]?) -> String {
    guard let constraints, !constraints.isEmpty else { return "" }
    return " where " + constraints.map(\.text).sorted().joined(separator: ", ")
}

let decoder = JSONDecoder()
decoder.keyDecodingStrategy = .convertFromSnakeCase
let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "modules" where arguments.count == 1:
    let description = try decoder.decode(Description.self, from: FileHandle.standardInput.readDataToEndOfFile())
    for module in description.modules() { print(module.name, module.path) }
case "surface" where arguments.count > 1:
    let graphs = try arguments.dropFirst().map { path in
        try decoder.decode(SymbolGraph.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }
    for line in surface(of: graphs) { print(line) }
default:
    FileHandle.standardError.write(Data("usage: inspect modules < describe.json | inspect surface <graph>...\n".utf8))
    exit(2)
}
