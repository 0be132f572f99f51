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

    /// By id, found without hashing. As long as the largest id that has owned a node.
    private var accounts: [Account] = []
    /// The guests' nodes, to find them when a guest goes.
    private var owned: [DomainID: Set<PathKey>] = [:]

    func account(of domain: DomainID) -> Account {
        let index = Int(domain.rawValue)
        return index < accounts.count ? accounts[index] : Account()
    }

    /// All domains with nodes.
    var domains: [DomainID] {
        accounts.indices.filter { accounts[$0].nodes > 0 }.map { DomainID(UInt16($0)) }
    }

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
        let index = Int(domain.rawValue)
        if index >= accounts.count {
            accounts.append(
                contentsOf: repeatElement(Account(), count: index + 1 - accounts.count))
        }
        accounts[index].nodes += nodes
        accounts[index].memory += memory
    }

    /// Forgets which nodes a domain had, that owns nothing any more.
    mutating func close(_ domain: DomainID) { owned[domain] = nil }
}
