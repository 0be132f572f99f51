import XenCore
import XenStoreWire

/// What a domain uses of the store.
struct Usage: Hashable, Sendable {
    var nodes = 0
    /// Bytes, as `StoreNode.memoryByteCount` counts them, and those of watches and transactions.
    var memory = 0
    var watches = 0
    var transactions = 0
    /// The most nodes that one of its transactions has touched.
    var transactionNodes = 0
    /// The largest node, the most entries, and the longest path that it has written.
    var nodeByteCount = 0
    var permissions = 0
    var pathByteCount = 0

    /// The larger of both, number by number.
    mutating func raise(to other: Usage) {
        nodes = max(nodes, other.nodes)
        memory = max(memory, other.memory)
        watches = max(watches, other.watches)
        transactions = max(transactions, other.transactions)
        transactionNodes = max(transactionNodes, other.transactionNodes)
        nodeByteCount = max(nodeByteCount, other.nodeByteCount)
        permissions = max(permissions, other.permissions)
        pathByteCount = max(pathByteCount, other.pathByteCount)
    }
}

/// Who owns how much: kept as nodes come, change and go, never counted again.
struct Ledger: Sendable {
    /// A domain's part.
    struct Account: Sendable {
        var nodes = 0
        var memory = 0
    }

    private var dom0 = Account()
    private var guests: [DomainID: Account] = [:]
    /// The guests' nodes, to find them when a guest goes.
    private var owned: [DomainID: Set<PathKey>] = [:]

    func account(of domain: DomainID) -> Account {
        domain == .dom0 ? dom0 : guests[domain] ?? Account()
    }

    /// All domains with nodes.
    var domains: [DomainID] { [.dom0] + guests.keys.sorted() }

    func nodes(of domain: DomainID) -> Set<PathKey> { owned[domain] ?? [] }

    /// Notes that a node has become another, was made, or went.
    mutating func record(_ old: StoreNode?, _ new: StoreNode?) {
        if let old, let new, old.access.owner == new.access.owner {
            let change = new.memoryByteCount - old.memoryByteCount
            if change != 0 { add(0, change, to: old.access.owner.domain) }
            return
        }
        if let old {
            let domain = old.access.owner.domain
            add(-1, -old.memoryByteCount, to: domain)
            if domain != .dom0 { owned[domain]?.remove(old.key) }
        }
        if let new {
            let domain = new.access.owner.domain
            add(1, new.memoryByteCount, to: domain)
            if domain != .dom0 { owned[domain, default: []].insert(new.key) }
        }
    }

    private mutating func add(_ nodes: Int, _ memory: Int, to domain: DomainID) {
        guard domain != .dom0 else {
            dom0.nodes += nodes
            dom0.memory += memory
            return
        }
        guests[domain, default: Account()].nodes += nodes
        guests[domain, default: Account()].memory += memory
    }

    /// Forgets a domain that owns nothing any more.
    mutating func close(_ domain: DomainID) {
        guests[domain] = nil
        owned[domain] = nil
    }
}
