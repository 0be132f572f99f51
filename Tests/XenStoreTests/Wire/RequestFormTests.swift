import Testing
import XenCore
import XenStoreWire

/// Each form of each payload that the C daemon accepts or refuses (tools/xenstored: core.c, domain.c, watch.c).
@Suite struct RequestFormTests {
    struct Form: Sendable, CustomTestStringConvertible {
        let operation: StoreOperation
        let payload: String
        /// Nil where it is refused.
        let request: Request?

        init(_ operation: StoreOperation, _ payload: String, _ request: Request?) {
            self.operation = operation
            self.payload = payload
            self.request = request
        }

        var testDescription: String {
            "\(operation) '\(payload.replacing("\0", with: "|"))'"
        }
    }

    private static let one = DomainID(1)
    private static let last = DomainID(.max)

    /// Exactly one NUL, at the end.
    static let onePath: [Form] = [
        Form(.read, "/a\0", .read("/a")),
        Form(.read, "a\0", .read("a")),
        Form(.read, "@x\0", .read("@x")),
        Form(.read, "", nil),
        Form(.read, "\0", nil),
        Form(.read, "/a", nil),
        Form(.read, "/a\0\0", nil),
        Form(.read, "/a\0/b\0", nil),
        Form(.read, "/a\0x", nil),
        Form(.directory, "/a\0b\0", nil),
        Form(.getPermissions, "/a", nil),
        Form(.makeDirectory, "/a/\0", nil),
        Form(.remove, "//a\0", nil),
    ]

    static let values: [Form] = [
        Form(.write, "/a\0", .write("/a", [])),
        Form(.write, "/a\0b", .write("/a", Array("b".utf8))),
        Form(.write, "/a\0\0b\0", .write("/a", Array("\0b\0".utf8))),
        Form(.write, "/a", nil),
        Form(.write, "\0b", nil),
        Form(.write, "", nil),
    ]

    /// What follows the last NUL does not matter.
    static let watches: [Form] = [
        Form(.watch, "/a\0t\0", .watch("/a", token: Array("t".utf8))),
        Form(.watch, "/a\0\0", .watch("/a", token: [])),
        Form(.watch, "/a\0t\0x", .watch("/a", token: Array("t".utf8))),
        Form(.watch, "/a\0t\0\0", .watch("/a", token: Array("t".utf8), depth: 0)),
        Form(.watch, "/a\0t\u{0}00\0", .watch("/a", token: Array("t".utf8), depth: 0)),
        Form(.watch, "/a\0t\0 +7x\0", .watch("/a", token: Array("t".utf8), depth: 7)),
        Form(.watch, "/a\0t\0x\0", .watch("/a", token: Array("t".utf8), depth: 0)),
        Form(
            .watch, "/a\0t\02147483647\0", .watch("/a", token: Array("t".utf8), depth: 0x7FFF_FFFF)),
        Form(.watch, "/a\0t\02147483648\0", nil),
        Form(.watch, "/a\0t\0-1\0", nil),
        Form(.watch, "/a\0t\01\0x\0", nil),
        Form(.watch, "/a\0t", nil),
        Form(.watch, "/a\0", nil),
        Form(.unwatch, "/a\0t\0", .unwatch("/a", token: Array("t".utf8))),
        Form(.unwatch, "/a\0t\0x", .unwatch("/a", token: Array("t".utf8))),
        Form(.unwatch, "/a\0t\0x\0", nil),
        Form(.unwatch, "/a\0t", nil),
    ]

    static let transactions: [Form] = [
        Form(.transactionStart, "\0", .transactionStart),
        Form(.transactionStart, "", .transactionStart),
        Form(.transactionStart, "x\0y", .transactionStart),
        Form(.resetWatches, "", .resetWatches),
        Form(.transactionEnd, "T\0", .transactionEnd(commit: true)),
        Form(.transactionEnd, "F\0", .transactionEnd(commit: false)),
        Form(.transactionEnd, "T", nil),
        Form(.transactionEnd, "t\0", nil),
        Form(.transactionEnd, "T\0\0", nil),
        Form(.transactionEnd, "", nil),
    ]

    static let domains: [Form] = [
        Form(.release, "1\0", .release(one)),
        Form(.release, " \t+1\0", .release(one)),
        Form(.release, "001\0", .release(one)),
        Form(.release, "\0", .release(.dom0)),
        Form(.release, "-0\0", .release(.dom0)),
        Form(.release, "65535\0", .release(last)),
        Form(.release, "65536\0", nil),
        Form(.release, "-1\0", nil),
        Form(.release, "-18446744073709551615\0", .release(one)),
        Form(.release, "18446744073709551617\0", nil),
        Form(.release, "1x\0", nil),
        Form(.release, "1 \0", nil),
        Form(.release, " \0", nil),
        Form(.release, "0x1\0", nil),
        Form(.release, "1", nil),
        Form(.release, "", nil),
        Form(.release, "1\0\0", nil),
        Form(.getDomainPath, "1\0x", nil),
        Form(.isDomainIntroduced, "+\0", nil),
        Form(.resume, "1\0", .resume(one)),
        Form(.setTarget, "1\065535\0", .setTarget(one, target: last)),
        Form(.setTarget, "1\065535\0x\0y", .setTarget(one, target: last)),
        Form(.setTarget, "1\065536\0", nil),
        Form(.setTarget, "1\0", nil),
        Form(.introduce, "1\02\03\0", .introduce(one, frame: 2, port: EventPort(3))),
        Form(.introduce, "1\0-2\03\0", .introduce(one, frame: -2, port: EventPort(3))),
        Form(.introduce, "1\0rubbish\03\0", .introduce(one, frame: 0, port: EventPort(3))),
        Form(.introduce, "1\02\03x\0more\0", .introduce(one, frame: 2, port: EventPort(3))),
        Form(.introduce, "1\02\00\0", nil),
        Form(.introduce, "1\02\0-3\0", nil),
        Form(.introduce, "1\02\02147483648\0", nil),
        Form(.introduce, "1\02\03", nil),
        Form(.introduce, "x\02\03\0", nil),
    ]

    static let permissions: [Form] = [
        Form(.setPermissions, "/a\0r1\0", .setPermissions("/a", [.init(.read, for: one)])),
        Form(
            .setPermissions, "/a\0n0\0b1\0",
            .setPermissions("/a", [.init(.none, for: .dom0), .init(.readWrite, for: one)])),
        Form(.setPermissions, "/a\0w 0x1\0", .setPermissions("/a", [.init(.write, for: one)])),
        Form(
            .setPermissions, "/a\0r010\0", .setPermissions("/a", [.init(.read, for: DomainID(8))])),
        Form(.setPermissions, "/a\0r0\0x", .setPermissions("/a", [.init(.read, for: .dom0)])),
        Form(.setPermissions, "/a\0r65535\0", .setPermissions("/a", [.init(.read, for: last)])),
        Form(.setPermissions, "/a\0r65536\0", nil),
        Form(.setPermissions, "/a\0r-1\0", nil),
        Form(.setPermissions, "/a\0r\0", nil),
        Form(.setPermissions, "/a\0r1x\0", nil),
        Form(.setPermissions, "/a\0r08\0", nil),
        Form(.setPermissions, "/a\0x1\0", nil),
        Form(.setPermissions, "/a\0\0", nil),
        Form(.setPermissions, "/a\0", nil),
        Form(.setPermissions, "", nil),
    ]

    static let daemon: [Form] = [
        Form(.directoryPart, "/a\00\0", .directoryPart("/a", offset: 0)),
        Form(.directoryPart, "/a\0\0", .directoryPart("/a", offset: 0)),
        Form(.directoryPart, "/a\07x\0y", .directoryPart("/a", offset: 7)),
        Form(.directoryPart, "/a\0-1\0", .directoryPart("/a", offset: .max)),
        Form(.directoryPart, "/a\0", nil),
        Form(.directoryPart, "/a\01\02\0", nil),
        Form(.getFeature, "", .getFeature(nil)),
        Form(.getFeature, "1", .getFeature(nil)),
        Form(.getFeature, "1\0", .getFeature(one)),
        Form(.getFeature, "1\0\0", nil),
        Form(.getFeature, "x\0", nil),
        Form(.setFeature, "1\015\0", .setFeature(one, ServerFeatures(rawValue: 15))),
        Form(.setFeature, "1\0-1\0x", .setFeature(one, ServerFeatures(rawValue: .max))),
        Form(.setFeature, "1\0", nil),
        Form(.setFeature, "1\01\01\0", nil),
        Form(.getQuota, "", .getQuota(nil, name: nil)),
        Form(.getQuota, "q\0", .getQuota(nil, name: Array("q".utf8))),
        Form(.getQuota, "1\0q\0x", .getQuota(one, name: Array("q".utf8))),
        Form(.getQuota, "x\0q\0", nil),
        Form(.getQuota, "1\0q\0\0", nil),
        Form(.setQuota, "q\05\0", .setQuota(nil, name: Array("q".utf8), limit: 5)),
        Form(.setQuota, "1\0q\05\0", .setQuota(one, name: Array("q".utf8), limit: 5)),
        Form(.setQuota, "x\0q\05\0", nil),
        Form(.setQuota, "q\0", nil),
        Form(.setQuota, "1\0q\05\0\0", nil),
        Form(.control, "help\0", .control([Array("help".utf8)])),
        Form(.control, "log\0on\0x", .control([Array("log".utf8), Array("on".utf8)])),
        Form(.control, "help", nil),
        Form(.control, "", nil),
    ]

    @Test(
        arguments: onePath + values + watches + transactions + domains + permissions + daemon)
    func eachFormIsTakenAsTheDaemonTakesIt(_ form: Form) {
        #expect(
            (try? Request(decoding: form.operation, payload: Array(form.payload.utf8)))
                == form.request)
    }

    @Test(arguments: [UInt32(15), 16, 20, 27, 28, 65535, .max])
    func whatNobodyMayAskForIsNotImplemented(_ operation: UInt32) {
        #expect(throws: StoreErrorName.notImplemented) {
            try Request(decoding: StoreOperation(rawValue: operation), payload: Array("/a\0".utf8))
        }
    }

    /// Every byte at the start, in the middle and at the end of a path.
    @Test func everyByteOfAPathIsJudged() {
        let allowed = Set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/_@".utf8)
        for byte in UInt8.min...UInt8.max {
            let isAllowed = allowed.contains(byte)
            let isName = isAllowed && byte != UInt8(ascii: "/")
            #expect(isPath([byte, 0x61]) == isAllowed)
            #expect(isPath([0x61, byte, 0x61]) == isAllowed)
            #expect(isPath([0x61, byte]) == isName)
        }
    }

    private func isPath(_ bytes: [UInt8]) -> Bool { (try? StorePath(bytes: bytes)) != nil }
}
