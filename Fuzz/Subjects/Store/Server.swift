import XenCore
import XenStoreServer
import XenStoreWire

/// A server whose clients send whatever the input says, sound or not, while domains come and go.
func fuzzServer(_ input: FuzzInput) {
    var store = FuzzedStore(quota: quota(input))
    let vocabulary = Vocabulary(input: input)
    var count = 0
    while !input.isAtEnd {
        step(&store, vocabulary)
        count += 1
        if count.isMultiple(of: 64) { store.checkState() }
    }
    store.end()
}

private func step(_ store: inout FuzzedStore, _ vocabulary: Vocabulary) {
    let input = vocabulary.input
    switch input.byte() {
    case 0..<8: store.connect(as: vocabulary.domain())
    case 8..<12: store.disconnect(vocabulary.connection(of: store))
    case 12..<16: store.release(vocabulary.domain())
    case 16..<20: store.introduce(vocabulary.domain())
    case 20..<22: store.shutDown(vocabulary.domain())
    case 22..<28: store.answerAttachment(succeeding: input.byte() & 1 == 0)
    case 28..<34: store.pass(milliseconds: Int(input.byte()))
    default:
        guard let connection = vocabulary.connection(of: store) else { return }
        let operation = vocabulary.operation()
        store.send(
            operation, vocabulary.payload(of: operation),
            in: vocabulary.transaction(of: store, connection), from: connection)
    }
}

/// Quotas small enough to be met.
private func quota(_ input: FuzzInput) -> StoreQuota {
    var quota = StoreQuota()
    guard input.byte() & 1 == 1 else { return quota }
    quota.nodes = input.choice(below: 16)
    quota.watches = input.choice(below: 5)
    quota.transactions = input.choice(below: 4)
    quota.transactionNodes = input.choice(below: 16)
    quota.memoryByteCount = Int(input.byte()) * 32
    quota.softMemoryByteCount = Int(input.byte()) * 16
    quota.nodeByteCount = Int(input.byte())
    quota.permissions = input.choice(below: 4)
    quota.pathByteCount = input.choice(below: 64)
    return quota
}

/// Words of requests, most of which mean something to the others.
private struct Vocabulary {
    let input: FuzzInput

    private static let paths = [
        "/", "/a", "/a/b", "/a/b/c", "/a/c", "/b", "/tool/xenstored", "a", "a/b", "data",
        "/local/domain/1", "/local/domain/1/a", "/local/domain/2/data/x", "/local", "/local/domain",
        "@introduceDomain", "@releaseDomain", "/a/@b", "@", "//", "/a/", "",
    ]
    private static let words = [
        "", "0", "1", "2", "3", "7", "n0", "r1", "b2", "w3", "n1", "r0", "r65535", "T", "F", "-1",
        "4294967295", "4294967296", "99999999999999999999", "0x10", " 1", "help", "check", "log",
        "quota", "quota-soft", "memreport", "print", "connections", "watches", "transactions",
        "set", "max", "-r", "on", "off", "+io", "-io", "live-update", "logfile", "nodes",
        "outstanding", "transaction-nodes", "memory", "node-size",
    ]

    func domain() -> DomainID {
        let number = input.choice(below: 8)
        return DomainID(number < 6 ? UInt16(number % 4) : number == 6 ? 0x7FEF : 0x7FF0)
    }

    func connection(of store: FuzzedStore) -> ConnectionID? {
        store.connections.isEmpty ? nil : input.pick(store.connections)
    }

    func operation() -> StoreOperation {
        // Nodes and transactions twice as often as others.
        let common: [StoreOperation] = [
            .read, .write, .directory, .makeDirectory, .remove, .setPermissions, .getPermissions,
            .transactionStart, .transactionEnd, .watch, .unwatch, .directoryPart,
        ]
        let number = input.choice(below: 42)
        return number < 28
            ? StoreOperation(rawValue: UInt32(number)) : common[number % common.count]
    }

    func transaction(of store: FuzzedStore, _ connection: ConnectionID) -> TransactionID {
        let open = store.transactions(of: connection)
        switch input.byte() & 7 {
        case 0..<3: return .none
        case 7: return TransactionID(rawValue: input.word())
        default: return open.isEmpty ? .none : input.pick(open)
        }
    }

    /// Mostly of the operation's own form.
    func payload(of operation: StoreOperation) -> [UInt8] {
        switch input.byte() & 15 {
        case 0: return input.bytes(Int(input.byte()))
        case 1: return fields(input.choice(below: 5))
        case 2: return [UInt8](repeating: input.byte(), count: Int(input.word() % 4097))
        default: break
        }
        switch operation {
        case .write: return path() + [0] + value()
        case .watch, .unwatch: return path() + [0, input.byte() & 7 | 0x30, 0] + optionalField()
        case .transactionStart, .resetWatches: return [0]
        case .transactionEnd: return [input.byte() & 3 == 0 ? 0x46 : 0x54, 0]
        case .setPermissions: return path() + [0] + fields(1 + input.choice(below: 3))
        case .directoryPart: return path() + [0] + fields(1)
        case .introduce, .release, .getDomainPath, .isDomainIntroduced, .resume, .setTarget,
            .getFeature, .setFeature, .control, .getQuota, .setQuota:
            return fields(input.choice(below: 5))
        default: return path() + [0]
        }
    }

    private func path() -> [UInt8] {
        let number = Int(input.byte())
        guard number < 240 else { return input.bytes(input.choice(below: 32)) }
        return Array(Self.paths[number % Self.paths.count].utf8)
    }

    private func value() -> [UInt8] {
        input.byte() & 7 == 0
            ? [UInt8](repeating: 1, count: Int(input.word() % 2200))
            : input.bytes(input.choice(below: 8))
    }

    private func optionalField() -> [UInt8] { input.byte() & 1 == 0 ? [] : fields(1) }

    private func fields(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { _ in Array(input.pick(Self.words).utf8) + [0] }
    }
}
