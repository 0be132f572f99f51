import Testing
import XenCore
import XenStoreServer
import XenStoreWire

/// Requests that are wrong in every way: each has one answer, and what is refused changes nothing.
@Suite struct MalformedRequestTests {
    typealias Asker = MalformedStage.Asker

    static let operations =
        (0...27).map { StoreOperation(rawValue: $0) } + [
            .invalid, StoreOperation(rawValue: 0x7FFF_FFFF), StoreOperation(rawValue: .max),
        ]

    /// Nothing, too much, no end, no sense: for an operation it may still be right.
    static let payloads: [[UInt8]] =
        [
            "", "\0", "\0\0", "\0\0\0\0", "/", "/\0", "/\0\0", "/a", "/a\0", "a\0", "/a\0b",
            "/a\0b\0",
            "/a\0b\0c\0", "\0/a\0", "//\0", "/a/\0", "/a//b\0", "@\0", "@releaseDomain\0",
            "@introduceDomain\0t\0", "@releaseDomain\0n1\0", "/a b\0", "/a\u{7F}\0", "/ü\0",
            "/a\0n1\0",
            "/a\0n1\0r", "/a\0n1\0\0", "/a\0x1\0", "/a\0n\0", "/a\0n-1\0", "/a\0n65536\0",
            "/a\0n0\0r1\0",
            "/a\0t\0-1\0", "/a\0t\04294967296\0", "/a\0t\00\0", "T", "T\0", "F\0", "T\0T\0", "0",
            "0\0",
            "1\0", "1\0\0", "-1\0", "65535\0", "65536\0", "99999999999999999999\0", "1\02\03\0",
            "1\02\00\0", "1\02\04294967295\0", "65535\02\03\0", "32752\02\03\0", "1\01\0",
            "1\032752\0",
            "help\0", "help", "check\0x\0", "quota\0set\0nodes\0-1\0", "print\0\u{1B}[2J\0",
            "nodes\0",
            "1\0nodes\0", "1\0nodes\05\0", "nodes\0-1\0", "none\05\0",
        ].map { Array($0.utf8) }
        + [0, 1, 0x2F, 0x40, 0x61, 0xFF].map { [UInt8](repeating: $0, count: 4096) }
        + [
            Array(repeating: [0x2F, 0x61] as [UInt8], count: 2048).flatMap { $0 },
            [UInt8](repeating: 0x61, count: 4095) + [0],
            Array("/".utf8) + [UInt8](repeating: 0x61, count: 3071) + [0],
            Array("/".utf8) + [UInt8](repeating: 0x61, count: 3072) + [0],
            [UInt8](repeating: 0x61, count: 2048) + [0],
            [UInt8](repeating: 0x61, count: 2049) + [0],
        ]

    /// The words with which a server refuses (xs_wire.h, `xsd_errors`).
    static let names: Set<StoreErrorName> = [
        .invalid, .accessDenied, .exists, .noEntry, .noMemory, .noSpace, .notImplemented, .busy,
        .again, .tooBig, .notPermitted,
    ]

    @Test(arguments: operations, Asker.allCases)
    func whatIsRefusedChangesNothing(_ operation: StoreOperation, _ asker: Asker) throws {
        var stage = try MalformedStage()
        var nodes = try stage.nodes()
        for payload in Self.payloads {
            var isRefused = true
            for transaction in [.none, TransactionID(rawValue: .max), try stage.start(asker)] {
                switch try stage.ask(asker, operation, payload, in: transaction) {
                case .done: isRefused = false
                case .refused(let name):
                    #expect(Self.names.contains(name), "\(operation) \(payload.prefix(60)) \(name)")
                }
            }
            let now = try stage.nodes()
            if isRefused { #expect(now == nodes, "\(operation) \(payload.prefix(60))") }
            nodes = now
            _ = try stage.ask(asker, .resetWatches, [0])
        }
        #expect(stage.core.findings().isEmpty)
    }

    static let forbiddenPaths = [
        "", "//", "/a/", "a/", "/a//b", "//a", "/a b", "/a.b", "/a:b", "/\u{1}", "/a\u{7F}",
        "/\u{E9}",
        "/a\n", " /a", "/%61", "/*", "\\a", "/a\\b", "~", "/a?",
        "/" + String(repeating: "a", count: 3072), String(repeating: "a", count: 2049),
    ]

    @Test(arguments: forbiddenPaths, Asker.allCases)
    func noOperationTakesAForbiddenPath(_ path: String, _ asker: Asker) throws {
        var stage = try MalformedStage()
        let before = try stage.nodes()
        let rest: [StoreOperation: String] = [
            .read: "\0", .directory: "\0", .getPermissions: "\0", .makeDirectory: "\0",
            .remove: "\0",
            .write: "\0v", .setPermissions: "\0n1\0", .watch: "\0t\0", .directoryPart: "\00\0",
        ]
        for (operation, rest) in rest {
            let answer = try stage.ask(asker, operation, Array((path + rest).utf8))
            #expect(answer == .refused(.invalid), "\(operation)")
        }
        #expect(try stage.nodes() == before)
    }

    @Test(arguments: ["@", "@none", "@releaseDomain/1", "@introduceDomain"])
    func aSpecialPathIsNoNode(_ path: String) throws {
        var stage = try MalformedStage()
        let before = try stage.nodes()
        for (operation, rest) in [
            (StoreOperation.read, "\0"), (.directory, "\0"), (.write, "\0v"),
            (.makeDirectory, "\0"),
            (.remove, "\0"), (.directoryPart, "\00\0"),
        ] {
            let answer = try stage.ask(.dom0, operation, Array((path + rest).utf8))
            #expect(answer == .refused(.invalid), "\(operation)")
        }
        #expect(try stage.nodes() == before)
    }

    @Test(arguments: [
        "", "n", "1", "x1", "N1", "nn1", "n1n", "n-2", "n65536", "n4294967296",
        "n99999999999999999999",
        "n1,r2", "n1 r2", "\u{7F}1", "r\u{661}",
    ])
    func noPermissionOfAnotherFormIsTaken(_ entry: String) throws {
        var stage = try MalformedStage()
        let before = try stage.nodes()
        for payload in ["/g\0\(entry)\0", "/g\0n1\0\(entry)\0", "/g\0\(entry)\0n1\0"] {
            for asker in Asker.allCases {
                #expect(
                    try stage.ask(asker, .setPermissions, Array(payload.utf8))
                        == .refused(.invalid),
                    "\(payload.replacing("\0", with: "|"))")
            }
        }
        #expect(try stage.nodes() == before)
    }

    @Test(arguments: [0, 1, 0x7FFF_FFFF, 0x8000_0000, .max] as [UInt32])
    func everyRequestIDIsRepeated(_ id: UInt32) throws {
        var stage = try MalformedStage()
        // `ask` compares the answer's id; the same may come again.
        for _ in 0..<3 {
            #expect(
                try stage.ask(.guest, .read, Array("/a\0".utf8), id: id) == .refused(.accessDenied))
        }
        #expect(try stage.ask(.dom0, .read, Array("/a/b\0".utf8), id: id) == .done(Array("v".utf8)))
    }

    @Test(arguments: [1, 2, 0x7FFF_FFFF, 0x8000_0000, .max] as [UInt32])
    func aTransactionThatIsNotOursIsNone(_ number: UInt32) throws {
        var stage = try MalformedStage()
        // One with a small number is another connection's.
        for _ in 0..<2 { _ = try stage.start(.dom0) }
        let id = TransactionID(rawValue: number)
        let before = try stage.nodes()
        for (operation, payload) in [
            (StoreOperation.read, "/g\0"), (.write, "/g\0w"), (.remove, "/g\0"),
            (.makeDirectory, "/g/y\0"),
            (.directory, "/g\0"), (.setPermissions, "/g\0n1\0"), (.getPermissions, "/g\0"),
            (.transactionEnd, "T\0"), (.transactionEnd, "F\0"), (.directoryPart, "/g\00\0"),
        ] {
            let answer = try stage.ask(.guest, operation, Array(payload.utf8), in: id)
            #expect(answer == .refused(.noEntry), "\(operation)")
        }
        #expect(try stage.nodes() == before)
    }

    @Test func whatOnlyAServerSendsIsNoRequest() throws {
        var stage = try MalformedStage()
        for operation in [
            StoreOperation.watchEvent, .error, .restrict, .invalid, StoreOperation(rawValue: 27),
            StoreOperation(rawValue: 0x100), StoreOperation(rawValue: .max),
        ] {
            for payload in Self.payloads {
                for asker in Asker.allCases {
                    #expect(
                        try stage.ask(asker, operation, payload) == .refused(.notImplemented),
                        "\(operation)")
                }
            }
        }
    }
}
