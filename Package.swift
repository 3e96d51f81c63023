// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
]

/// A library module: its product, its target in `Sources/` and its tests in `Tests/`.
struct Module {
    var name: String
    var dependencies: [String] = []
    var tests: [String] = []
    var testData: [String] = []
}

let modules = [
    Module(name: "ReliabilityCore", tests: ["ReliabilityTesting"]),
    Module(name: "RateLimiting", dependencies: ["ReliabilityCore"], tests: ["ReliabilityTesting"]),
    Module(name: "Retrying", dependencies: ["ReliabilityCore"], tests: ["ReliabilityTesting"]),
    Module(
        name: "CircuitBreaking", dependencies: ["ReliabilityCore"], tests: ["ReliabilityTesting", "CircuitSimulation"]),
    Module(
        name: "RecordStores", dependencies: ["ReliabilityCore"], tests: ["ReliabilityTesting"], testData: ["Golden"]),
    Module(
        name: "Idempotency", dependencies: ["RecordStores"],
        tests: ["ReliabilityTesting", "Retrying", "IdempotencySimulation"]),
    Module(name: "DeadLetters", dependencies: ["RecordStores"], tests: ["ReliabilityTesting"]),
    Module(
        name: "WorkQueues", dependencies: ["DeadLetters", "Retrying"],
        tests: ["ReliabilityTesting", "CircuitBreaking", "Idempotency", "QueueSimulation"]),
    Module(
        name: "Sagas", dependencies: ["RecordStores", "Retrying"], tests: ["ReliabilityTesting", "SagaSimulation"]),
    Module(
        name: "ReliabilityTesting", dependencies: ["RecordStores", "Idempotency", "Sagas"],
        tests: ["RecordStores", "Idempotency", "Sagas"]),
    Module(
        name: "Reliability",
        dependencies: [
            "RateLimiting", "Retrying", "CircuitBreaking", "RecordStores", "Idempotency", "DeadLetters", "WorkQueues",
            "Sagas",
        ]),
]

/// What only this package's own programs use: no product, so that no dependent compiles it.
let programs: [Target] = [
    .target(name: "CAllocationCounter", path: "Benchmarks/CAllocationCounter"),
    .target(name: "CPlainDigest", path: "Benchmarks/CPlainDigest"),
    .executableTarget(
        name: "reliability-benchmarks",
        dependencies: [
            "ReliabilityCore", "RateLimiting", "Retrying", "CircuitBreaking", "RecordStores", "Idempotency",
            "WorkQueues", "Sagas", "CAllocationCounter", "CPlainDigest",
        ],
        path: "Benchmarks/ReliabilityBenchmarks", swiftSettings: settings),
    .target(
        name: "IdempotencySimulation", dependencies: ["Idempotency", "ReliabilityTesting"],
        path: "Trials/IdempotencySimulation", swiftSettings: settings),
    .target(
        name: "CircuitSimulation", dependencies: ["CircuitBreaking", "ReliabilityTesting"],
        path: "Trials/CircuitSimulation", swiftSettings: settings),
    .target(
        name: "QueueSimulation", dependencies: ["WorkQueues", "ReliabilityTesting"],
        path: "Trials/QueueSimulation", swiftSettings: settings),
    .target(
        name: "SagaSimulation", dependencies: ["Sagas", "ReliabilityTesting"],
        path: "Trials/SagaSimulation", swiftSettings: settings),
    .executableTarget(
        name: "reliability-trials",
        dependencies: [
            "RecordStores", "RateLimiting", "ReliabilityCore", "ReliabilityTesting", "IdempotencySimulation",
            "CircuitSimulation", "QueueSimulation", "SagaSimulation",
        ],
        path: "Trials/ReliabilityTrials", swiftSettings: settings),
    .executableTarget(
        name: "fuzz-journal-reader", dependencies: ["RecordStores", "ReliabilityTesting"],
        path: "Fuzz/JournalReader", swiftSettings: settings),
    .testTarget(
        name: "TrialsTests", dependencies: ["reliability-trials", "RecordStores", "ReliabilityCore"],
        swiftSettings: settings),
]

let package = Package(
    name: "swift-reliability",
    platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
    products: modules.map { .library(name: $0.name, targets: [$0.name]) },
    targets: modules.flatMap { module -> [Target] in
        let target = Target.target(
            name: module.name,
            dependencies: module.dependencies.map { .byName(name: $0) },
            swiftSettings: settings)
        guard !module.tests.isEmpty else { return [target] }
        let tests = Target.testTarget(
            name: module.name + "Tests",
            dependencies: ([module.name] + module.tests).map { .byName(name: $0) },
            exclude: module.testData,
            swiftSettings: settings)
        return [target, tests]
    } + programs,
    swiftLanguageModes: [.v6]
)

package.targets += [
    // What the examples that run several processes share.
    .target(name: "ExampleProcesses", path: "Examples/Processes", swiftSettings: settings),
    .executableTarget(
        name: "checkout",
        dependencies: ["Reliability"],
        path: "Examples/Checkout",
        exclude: ["README.md", "ci.sh", "orders.jsonl"],
        swiftSettings: settings),
    .executableTarget(
        name: "payment-server",
        dependencies: ["Idempotency"],
        path: "Examples/PaymentServer",
        exclude: ["README.md", "ci.sh"],
        swiftSettings: settings),
    .executableTarget(
        name: "retry-storm",
        dependencies: ["CircuitBreaking", "Retrying"],
        path: "Examples/RetryStorm",
        exclude: ["README.md", "ci.sh", "load.svg"],
        swiftSettings: settings),
    .executableTarget(
        name: "tenant-limits",
        dependencies: ["RateLimiting", "ReliabilityTesting"],
        path: "Examples/TenantLimits",
        exclude: ["README.md", "ci.sh", "access.log", "edges.svg"],
        swiftSettings: settings),
    .executableTarget(
        name: "notifications",
        dependencies: ["WorkQueues", "RateLimiting", "Retrying", "ExampleProcesses"],
        path: "Examples/Notifications",
        exclude: ["README.md", "ci.sh"],
        swiftSettings: settings),
    .executableTarget(
        name: "retry-chain",
        dependencies: ["WorkQueues", "Retrying", "ReliabilityTesting"],
        path: "Examples/RetryChain",
        exclude: ["README.md", "ci.sh"],
        swiftSettings: settings),
    .executableTarget(
        name: "travel-booking",
        dependencies: ["Sagas", "ExampleProcesses"],
        path: "Examples/TravelBooking",
        exclude: ["README.md", "ci.sh"],
        swiftSettings: settings),
    .testTarget(
        name: "CheckoutTests", dependencies: ["checkout", "Reliability", "ReliabilityCore", "ReliabilityTesting"],
        swiftSettings: settings),
    .testTarget(
        name: "PaymentServerTests", dependencies: ["payment-server", "checkout", "Idempotency", "ReliabilityTesting"],
        swiftSettings: settings),
    .testTarget(name: "RetryStormTests", dependencies: ["retry-storm"], swiftSettings: settings),
    .testTarget(
        name: "TenantLimitsTests", dependencies: ["tenant-limits", "RateLimiting"], swiftSettings: settings),
    .testTarget(
        name: "NotificationsTests",
        dependencies: ["notifications", "retry-chain", "ExampleProcesses", "WorkQueues", "ReliabilityTesting"],
        swiftSettings: settings),
    .testTarget(
        name: "RetryChainTests", dependencies: ["retry-chain", "ReliabilityTesting"], swiftSettings: settings),
    .testTarget(
        name: "TravelBookingTests",
        dependencies: ["travel-booking", "ExampleProcesses", "Sagas", "ReliabilityTesting"],
        swiftSettings: settings),
]
