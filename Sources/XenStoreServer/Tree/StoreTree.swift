import HashTreeCollections
import XenCore
import XenStoreWire

/// The nodes at one moment: one persistent map from full paths, so taking a snapshot is copying it and costs O(1),
/// and finding a node is one look-up however deep it lies.
struct StoreTree: Sendable {
    fileprivate(set) var nodes: TreeDictionary<PathKey, StoreNode> = [:]
    var generation: UInt64 = 0
    /// Bytes of all nodes that were replaced or removed while a guest's snapshot could hold them. It never falls.
    fileprivate(set) var retiredByteCount = 0

    func node(at key: PathKey) -> StoreNode? { nodes[key] }
}

/// The store as it is now: the tree, and who owns how much of it.
struct LiveTree: Sendable, NodeTable {
    private(set) var snapshot = StoreTree()
    private(set) var ledger = Ledger()
    /// The generation of the newest snapshot that a guest has had.
    private var newestSnapshot: UInt64 = 0

    /// The nodes that a new C xenstored has: `/tool/xenstored` and the special ones, all dom0's.
    init() {
        for key in [PathKey.root, .introduceDomain, .releaseDomain] {
            put(nil, StoreNode(key, value: [], access: .dom0, at: 0, by: .dom0))
        }
        create(PathKey(Array("/tool/xenstored".utf8)), [], for: .dom0)
    }

    var generation: UInt64 {
        get { snapshot.generation }
        set { snapshot.generation = newValue }
    }

    var retiredByteCount: Int { snapshot.retiredByteCount }

    func node(at key: PathKey) -> StoreNode? { snapshot.nodes[key] }

    mutating func put(_ old: StoreNode?, _ new: StoreNode) {
        snapshot.nodes.updateValue(new, forKey: new.key)
        if let old { retire(old) }
        ledger.record(old, new)
    }

    mutating func take(_ node: StoreNode) {
        snapshot.nodes.removeValue(forKey: node.key)
        retire(node)
        ledger.record(node, nil)
    }

    /// The nodes as they are now, for a guest.
    mutating func takeSnapshot() -> StoreTree {
        newestSnapshot = generation
        return snapshot
    }

    /// A node that came after the newest snapshot is in none, and goes at once.
    private mutating func retire(_ node: StoreNode) {
        if node.version <= newestSnapshot { snapshot.retiredByteCount += node.memoryByteCount }
    }

    /// Forgets a domain that owns nothing any more.
    mutating func closeAccount(of domain: DomainID) { ledger.close(domain) }
}
