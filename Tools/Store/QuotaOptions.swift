import ArgumentParser
import XenStoreServer

/// What a guest may use up, as far as it differs from the C daemon's; 0 for no bound.
struct QuotaOptions: ParsableArguments {
    @Option(help: "Nodes that a guest may own.")
    var nodes = StoreQuota().nodes

    @Option(help: "Watches that a guest may have.")
    var watches = StoreQuota().watches

    @Option(help: "Transactions that a guest may have open.")
    var transactions = StoreQuota().transactions

    @Option(help: "Nodes that a guest's transaction may touch.")
    var transactionNodes = StoreQuota().transactionNodes

    @Option(help: "Requests whose replies a guest has not taken.")
    var outstanding = StoreQuota().outstanding

    @Option(help: "Bytes of a guest's nodes, watches and transactions together.")
    var memoryBytes = StoreQuota().memoryByteCount

    @Option(help: "The same: over this nothing is refused, but it is logged.")
    var softMemoryBytes = StoreQuota().softMemoryByteCount

    @Option(help: "Bytes of a guest's node: its value and its children's names.")
    var nodeBytes = StoreQuota().nodeByteCount

    @Option(help: "Entries of a node's permissions.")
    var permissions = StoreQuota().permissions

    @Option(help: "Bytes of a guest's path.")
    var pathBytes = StoreQuota().pathByteCount

    @Option(help: "Bytes that may wait for a reader before its connection ends.")
    var outputBytes = StoreQuota().outputByteCount

    private var limits: [(WritableKeyPath<StoreQuota, Int>, Int)] {
        [
            (\.nodes, nodes), (\.watches, watches), (\.transactions, transactions),
            (\.transactionNodes, transactionNodes), (\.outstanding, outstanding),
            (\.memoryByteCount, memoryBytes), (\.softMemoryByteCount, softMemoryBytes),
            (\.nodeByteCount, nodeBytes), (\.permissions, permissions),
            (\.pathByteCount, pathBytes),
        ]
    }

    func validate() throws {
        guard limits.allSatisfy({ (0...Int(Int32.max)).contains($0.1) }) else {
            throw ValidationError("a quota is 0 to \(Int32.max)")
        }
        guard (1 << 16...1 << 30).contains(outputBytes) else {
            throw ValidationError("--output-bytes is \(1 << 16) to \(1 << 30), not \(outputBytes)")
        }
    }

    var quota: StoreQuota {
        var quota = StoreQuota()
        for (name, limit) in limits { quota[keyPath: name] = limit }
        quota.outputByteCount = outputBytes
        return quota
    }
}
