// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is built with these: Swift 6 mode, warnings as errors, each `unsafe` spelt out.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let libraries = [
    "XenCore", "XenGrant", "XenEvtchn", "XenDomain", "XenRing", "XenStoreWire",
    "XenStoreClient", "XenStoreServer", "XenBus", "XenMock", "XenTesting",
]

let whenLibXen: TargetDependencyCondition? = .when(traits: ["LibXen"])

let package = Package(
    name: "swift-xen",
    products: libraries.map { .library(name: $0, targets: [$0]) },
    traits: [
        .default(enabledTraits: ["LibXen"]),
        .trait(
            name: "LibXen",
            description:
                "The back ends for real Xen, over libxengnttab and libxenevtchn (Debian: libxen-dev)."
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.13.0"),
    ],
    targets: [
        // Layer 0: vocabulary, the operating system, the hypervisor's C headers.
        .target(name: "CXen", cSettings: [.define("LIBXEN", .when(traits: ["LibXen"]))]),
        .target(name: "XenCore", swiftSettings: settings),
        .target(name: "CSystem"),
        .target(name: "XenSystem", dependencies: ["XenCore", "CSystem"], swiftSettings: settings),

        // Layer 1: grants, event channels, domains, rings. None imports another.
        .target(
            name: "XenGrant",
            dependencies: [
                "XenCore", "XenSystem", .target(name: "CXen", condition: whenLibXen),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings),
        .target(
            name: "XenEvtchn",
            dependencies: [
                "XenCore", "XenSystem", .target(name: "CXen", condition: whenLibXen),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings),
        .target(
            name: "XenDomain",
            dependencies: [
                "XenCore", "XenSystem", .target(name: "CXen", condition: whenLibXen),
            ],
            swiftSettings: settings),
        .target(name: "XenRing", dependencies: ["XenCore", "CSystem"], swiftSettings: settings),

        // Layer 2: the xenstore. Client and server never import each other.
        .target(
            name: "XenStoreWire", dependencies: ["XenCore", "XenSystem"], swiftSettings: settings),
        .target(
            name: "XenStoreClient",
            dependencies: [
                "XenCore", "XenSystem", "XenStoreWire", "XenRing", "XenEvtchn",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings),
        .target(
            name: "XenStoreServer",
            dependencies: [
                "XenCore", "XenSystem", "XenGrant", "XenEvtchn", "XenDomain", "XenRing",
                "XenStoreWire", .product(name: "HashTreeCollections", package: "swift-collections"),
            ],
            swiftSettings: settings),

        // Layer 3: what joins grants, event channels, rings and the store.
        .target(
            name: "XenBus", dependencies: ["XenCore", "XenStoreClient"], swiftSettings: settings),

        // For users' own tests.
        .target(
            name: "XenMock",
            dependencies: [
                "XenCore", "XenSystem", "XenGrant", "XenEvtchn", "XenDomain", "CSystem",
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings),
        .target(
            name: "XenTesting",
            dependencies: [
                "XenCore", "XenSystem", "XenGrant", "XenEvtchn", "XenRing", "XenStoreClient",
            ],
            swiftSettings: settings),

        // Examples/Block: a block device over the real blkif protocol.
        .target(
            name: "BlockDevice",
            dependencies: [
                "CSystem", "XenCore", "XenSystem", "XenGrant", "XenEvtchn", "XenRing",
                "XenStoreClient",
                "XenBus",
            ],
            path: "Examples/Block/BlockDevice", swiftSettings: settings),
        .executableTarget(
            name: "block-demo",
            dependencies: [
                "BlockDevice", "XenMock", "XenStoreServer", "XenSystem",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/Block/Demo", swiftSettings: settings),
        .executableTarget(
            name: "xen-block",
            dependencies: [
                "BlockDevice", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/Block/Tool", swiftSettings: settings),

        // What the command-line tools share.
        .target(name: "ToolSupport", path: "Tools/Support", swiftSettings: settings),

        // Explains the ring in a page of a file.
        .executableTarget(
            name: "xen-ring",
            dependencies: [
                "ToolSupport", "XenCore", "XenRing", "XenSystem",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tools/Ring", swiftSettings: settings),

        // The xenstore's command line, and its server as a daemon.
        .executableTarget(
            name: "xs",
            dependencies: [
                "ToolSupport", "XenCore", "XenGrant", "XenEvtchn", "XenDomain", "XenStoreClient",
                "XenStoreServer", "XenStoreWire", "XenSystem",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tools/Store", swiftSettings: settings),

        // Histories by seed, and the program that plays many of them.
        .target(
            name: "Histories",
            dependencies: [
                "XenTesting", "XenMock", "XenCore", "XenGrant", "XenEvtchn", "XenRing",
                "XenStoreWire", "XenStoreServer", "XenBus", "BlockDevice",
            ],
            path: "Tests/Histories", swiftSettings: settings),
        .executableTarget(
            name: "xen-sim",
            dependencies: [
                "Histories", "XenTesting", "XenSystem",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tools/Simulator", swiftSettings: settings),

        // Evidence: the agent that runs the suites inside a real Xen, parties in other domains, and the benchmarks.
        .target(
            name: "RemoteParties",
            dependencies: [
                "XenTesting", "XenCore", "XenSystem", "XenGrant", "XenEvtchn", "XenRing",
            ],
            path: "Lab/Remote", swiftSettings: settings),
        .executableTarget(
            name: "xen-lab-agent",
            dependencies: [
                "XenTesting", "XenCore", "XenSystem", "XenGrant", "XenEvtchn", "XenStoreClient",
                "XenBus", "BlockDevice", "RemoteParties",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Lab/Agent", swiftSettings: settings),
        .executableTarget(
            name: "xen-bench",
            dependencies: [
                "XenCore", "XenSystem", "XenGrant", "XenEvtchn", "XenRing", "XenMock", "CSystem",
                "XenStoreWire", "XenStoreClient", "XenStoreServer", "StoreDaemons", "CRing",
                "CStoreLoad", "CAllocationCount",
            ],
            path: "Benchmarks/Bench", swiftSettings: settings),
        .target(
            name: "CStoreLoad", path: "Benchmarks/CStoreLoad",
            cSettings: [.define("LIBXEN", .when(traits: ["LibXen"]))],
            linkerSettings: [.linkedLibrary("xenstore", .when(traits: ["LibXen"]))]),

        // Hostile peers by libFuzzer.
        .target(name: "CFuzzer", path: "Fuzz/CFuzzer"),
        .target(
            name: "FuzzSubjects",
            dependencies: [
                "WatchedMemory", "XenCore", "XenSystem", "XenRing", "XenStoreWire",
                "XenStoreServer",
            ],
            path: "Fuzz/Subjects", swiftSettings: settings),
        .executableTarget(
            name: "xen-fuzz", dependencies: ["CFuzzer", "FuzzSubjects"], path: "Fuzz/Tool",
            swiftSettings: settings),

        .target(
            name: "CRing", path: "Tests/CRing",
            cSettings: [.define("LIBXEN", .when(traits: ["LibXen"]))]),
        .target(name: "CPeerProcess", path: "Tests/CPeerProcess"),
        // C's end of a ring, for tests, in a process of its own.
        .executableTarget(
            name: "ring-peer", dependencies: ["CRing", "CPeerProcess"], path: "Tests/RingPeer",
            cSettings: [.define("LIBXEN", .when(traits: ["LibXen"]))]),
        .target(
            name: "CBlkif", path: "Tests/CBlkif",
            cSettings: [.define("LIBXEN", .when(traits: ["LibXen"]))]),
        .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
        .target(name: "CThreadSanitizer", path: "Tests/CThreadSanitizer"),
        .target(name: "CWatchedPages", path: "Tests/CWatchedPages"),
        .target(
            name: "WatchedMemory", dependencies: ["CWatchedPages", "XenCore", "XenSystem"],
            path: "Tests/WatchedMemory", swiftSettings: settings),
        .target(
            name: "CGrantDevice", dependencies: [.target(name: "CXen", condition: whenLibXen)],
            path: "Tests/CGrantDevice"),
        .target(
            name: "CEventDevice", dependencies: [.target(name: "CXen", condition: whenLibXen)],
            path: "Tests/CEventDevice"),
        .target(
            name: "MockStage", dependencies: ["XenCore", "XenMock"], path: "Tests/MockStage",
            swiftSettings: settings),
        .testTarget(
            name: "XenCoreTests", dependencies: ["XenCore", "XenSystem", "CThreadSanitizer"],
            swiftSettings: settings),
        .testTarget(
            name: "XenGrantTests",
            dependencies: [
                "XenGrant", "XenMock", "MockStage", "XenTesting", "CGrantDevice",
                .target(name: "CXen", condition: whenLibXen),
            ], swiftSettings: settings),
        .testTarget(
            name: "XenEvtchnTests",
            dependencies: [
                "XenEvtchn", "XenCore", "XenMock", "MockStage", "XenTesting", "XenSystem",
                "CAllocationCount", "CEventDevice", .target(name: "CXen", condition: whenLibXen),
            ], swiftSettings: settings),
        .testTarget(
            name: "XenDomainTests",
            dependencies: [
                "XenDomain", "XenCore", "XenMock", .target(name: "CXen", condition: whenLibXen),
            ], swiftSettings: settings),
        .testTarget(
            name: "XenRingTests",
            dependencies: [
                "XenRing", "XenMock", "XenTesting", "XenGrant", "XenEvtchn", "XenSystem", "CRing",
                "CAllocationCount", "CPeerProcess", "CThreadSanitizer", "WatchedMemory",
                "FuzzSubjects",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RemotePartyTests",
            dependencies: [
                "RemoteParties", "XenTesting", "XenMock", "XenCore", "XenGrant", "XenEvtchn",
                "XenSystem",
            ],
            swiftSettings: settings),
        // Xen's own store daemons without Xen; the shim is compiled when a test first wants one.
        .target(
            name: "StoreDaemons",
            dependencies: ["XenCore", "XenSystem", "XenRing", "XenStoreWire"],
            path: "Tests/StoreDaemons", exclude: ["Shim"], swiftSettings: settings),
        .testTarget(
            name: "XenStoreTests",
            dependencies: [
                "XenStoreWire", "XenStoreClient", "XenStoreServer", "XenSystem", "XenTesting",
                "XenCore", "XenGrant", "XenEvtchn", "XenDomain", "XenRing", "XenMock",
                "FuzzSubjects",
                "StoreDaemons",
            ],
            exclude: ["Programs"], swiftSettings: settings),
        .testTarget(
            name: "StoreToolTests",
            dependencies: [
                "xs", "ToolSupport", "XenCore", "XenStoreClient", "XenStoreServer", "XenStoreWire",
            ],
            swiftSettings: settings),
        .testTarget(name: "DocumentationTests", swiftSettings: settings),
        .testTarget(
            name: "SimulationTests", dependencies: ["Histories", "XenTesting"],
            swiftSettings: settings),
        .testTarget(
            name: "XenMockTests",
            dependencies: [
                "XenMock", "MockStage", "XenCore", "XenGrant", "XenEvtchn", "CAllocationCount",
            ],
            swiftSettings: settings),
        .target(
            name: "DeviceStage",
            dependencies: ["XenBus", "XenCore", "XenStoreClient", "XenStoreServer"],
            path: "Tests/DeviceStage", swiftSettings: settings),
        .testTarget(
            name: "XenBusTests",
            dependencies: [
                "DeviceStage",
                "XenBus", "XenCore", "XenEvtchn", "XenGrant", "XenMock", "XenRing",
                "XenStoreClient",
                "XenStoreServer", "XenStoreWire",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "BlockTests",
            dependencies: [
                "DeviceStage",
                "BlockDevice", "XenBus", "XenCore", "XenGrant", "XenEvtchn", "XenRing",
                "XenStoreClient", "XenStoreServer", "XenMock", "CBlkif",
            ], swiftSettings: settings),
    ]
)
