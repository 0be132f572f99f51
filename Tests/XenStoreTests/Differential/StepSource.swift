import XenStoreWire
import XenTesting

/// Makes up steps. Each draws its own numbers, so that a step that is left out changes no other.
struct StepSource {
    let choices: HistoryChoices
    /// Whether changes from outside come while transactions are open.
    let isCalm: Bool

    init(choices: HistoryChoices) {
        self.choices = choices
        isCalm = choices.number("calm", in: 0..<2) == 0
    }

    /// - Parameters:
    ///   - started: how many transactions each connection has started.
    ///   - open: which connection has one open, if any has.
    func step(
        _ index: Int, started: [ConnectionName: Int], open: ConnectionName?
    ) -> StoreStep {
        func pick<Element>(_ what: String, _ from: [Element]) -> Element {
            from[choices.number("\(what) \(index)", in: 0..<from.count)]
        }
        let isInside = open != nil && pick("inside", isCalm ? [true] : [true, true, false])
        let connection =
            isInside ? open ?? Self.connections[0] : pick("connection", Self.connections)
        let operation = pick("operation", isInside ? Self.operationsInside : Self.operations)
        let count = UInt32(started[connection] ?? 0)
        // Now and then one that has ended, or never was.
        let transaction =
            isInside ? count : pick("transaction", [0, 0, 0, 0, 0, 0, 0, 0, 0, count, count + 1])
        let path = pick("path", Self.paths)
        let arguments: [UInt8] =
            switch operation {
            case .write: Script.octets(path) + [0] + pick("value", Self.values)
            case .setPermissions:
                Script.octets("\(path)|\(pick("permissions", Self.permissions))")
            case .watch, .unwatch:
                Script.octets("\(pick("watched", Self.watched))|\(pick("token", ["t", "u", ""]))|")
            case .transactionStart, .resetWatches: [0]
            case .transactionEnd: Script.octets(pick("end", ["T|", "T|", "T|", "F|"]))
            case .directoryPart: Script.octets("\(path)|\(pick("offset", ["0", "2", "1000"]))|")
            case .getDomainPath, .isDomainIntroduced, .resume:
                Script.octets("\(pick("domain", ["0", "3", "4", "5"]))|")
            case .setTarget: Script.octets(pick("target", ["3|4|", "4|3|", "3|5|", "3|3|"]))
            default: Script.octets("\(path)|")
            }
        let payload = pick("malformed", Self.malformations)(arguments)
        return StoreStep(
            connection: connection, transaction: transaction, operation: operation,
            payload: payload)
    }

    static let connections = ["0", "0b", "3", "4"].compactMap { ConnectionName($0) }

    private static let common: [StoreOperation] = [
        .read, .read, .directory, .directory, .getPermissions, .write, .write, .write, .write,
        .makeDirectory, .makeDirectory, .remove, .remove, .setPermissions, .setPermissions,
    ]
    private static let operations =
        common + common + [
            .watch, .watch, .watch, .unwatch, .transactionStart, .transactionStart,
            .transactionEnd, .directoryPart, .getDomainPath, .isDomainIntroduced, .resume,
            .setTarget, .resetWatches, .invalid,
        ]
    private static let operationsInside =
        common + common + [
            .transactionEnd, .transactionEnd, .transactionEnd, .watch, .transactionStart,
        ]

    private static let paths =
        [
            "/a", "/a/b", "/a/b/c", "/a/d", "/a/d/e/f", "/g", "/", "x", "x/y", "x/z", "w",
            "/local/domain/3", "/local/domain/3/x", "/local/domain/3/x/y", "/local/domain/4",
            "/local/domain/4/x", "/local/domain/4/x/y/z", "/local", "/tool",
        ] + ["/a", "/a/b", "x", "x/y", "/local/domain/3/x"]
        + ["", "/a/", "//a", "/a b", "@introduceDomain", "@other", "a@b", "a//b"]
    private static let watched =
        ["/a", "/a/b", "/a/b/c", "/", "x", "x/y", "/local/domain/3", "/local/domain/3/x"]
        + ["@releaseDomain", "@introduceDomain", "", "//", "x/"]
    private static let values: [[UInt8]] = [
        [], Array("1".utf8), Array("two".utf8), [0, 1, 2, 255], Array(repeating: 7, count: 2000),
        Array(repeating: 8, count: 2049), Array("4".utf8), Array("5".utf8),
    ]
    private static let permissions = [
        "n0|", "r0|", "b0|", "n0|r3|", "n0|b3|", "n0|w3|", "n0|b3|r4|", "n3|", "r3|", "b3|",
        "n3|r4|", "n3|b4|", "n3|n4|r4|", "n4|b3|", "b4|", "w4|r3|n3|", "n0|r5|", "n5|", "",
        "x0|", "n|", "n0|r3|r4|b3|b4|n0|", "n0|r3",
    ]
    /// Most payloads are as they should be.
    private static let malformations: [@Sendable ([UInt8]) -> [UInt8]] =
        Array(repeating: { $0 }, count: 40) + [
            { $0.dropLast() }, { $0 + [0] }, { $0 + Array("more".utf8) + [0] },
        ]
}
