import XenCore
import XenStoreWire

/// An open transaction: a snapshot, a working copy, and what decides at the end whether it may be committed.
struct StoreTransaction: Sendable {
    /// What the transaction has seen or done of one node.
    struct Touch: Sendable {
        let key: PathKey
        /// The node as it was at the start.
        let base: StoreNode?
        var readChildren = false
        /// Whether it was made, changed or removed.
        var isModified = false
        var fires: WatchMatch?
    }

    /// The tree as it was at the start.
    private let base: StoreTree
    /// The same with the transaction's own changes.
    private(set) var tree: StoreTree
    /// What those changes are for the owners' accounts.
    private(set) var ledger = Ledger(keepsNodes: false)
    /// In the order in which the nodes were first touched.
    private(set) var touches: [Touch] = []
    private var indices: [PathKey: Int] = [:]
    /// Bytes that it holds by itself: what it touched, and what it changed.
    private(set) var memory = 0
    /// Set when it can only fail: a bound was passed within it.
    private(set) var isDoomed = false

    init(on tree: StoreTree) {
        base = tree
        self.tree = tree
    }

    mutating func doom() { isDoomed = true }

    /// The node as the transaction sees it, on which its outcome depends from now on.
    ///
    /// Throws `ENOSPC` over the limit on nodes.
    mutating func look(_ key: PathKey, limit: Int) throws(StoreErrorName) -> StoreNode? {
        let node = tree.node(at: key)
        guard indices[key] == nil else { return node }
        guard touches.count < limit else {
            isDoomed = true
            throw .noSpace
        }
        let kept = node?.key ?? key.compact
        indices[kept] = touches.count
        touches.append(Touch(key: kept, base: base.node(at: kept)))
        memory += kept.count + MemoryLayout<Touch>.stride
        return node
    }

    /// The outcome depends on the node's list of children, too.
    mutating func readChildren(of key: PathKey) {
        if let index = indices[key] { touches[index].readChildren = true }
    }

    // MARK: - Changes to the working copy

    mutating func write(_ value: [UInt8], to node: StoreNode, by client: Incarnation) {
        tree.write(value, to: node, by: client.domain, &ledger)
        note(node.key, node, fires: .subtree)
    }

    mutating func setAccess(_ access: AccessList, of node: StoreNode, by client: Incarnation) {
        tree.setAccess(access, of: node, by: client.domain, &ledger)
        note(node.key, node, fires: .subtree)
    }

    mutating func create(_ key: PathKey, _ value: [UInt8], by client: Incarnation) {
        var missing: [PathKey] = []
        var above: PathKey? = key
        while let path = above, tree.node(at: path) == nil {
            missing.append(path)
            above = path.parent
        }
        tree.create(key, value, for: client, &ledger)
        for path in missing { note(path, nil, fires: path == key ? .subtree : nil) }
    }

    /// Removes nodes that have been looked at: a node and all below it, children first.
    mutating func remove(_ subtree: [StoreNode], by client: Incarnation) {
        guard let top = subtree.last else { return }
        tree.remove(top, by: client.domain, &ledger)
        for node in subtree { note(node.key, node, fires: node === top ? .subtree : .exact) }
    }

    private mutating func note(_ key: PathKey, _ old: StoreNode?, fires: WatchMatch?) {
        guard let index = indices[key] else { return }
        if touches[index].isModified { memory -= old?.memoryByteCount ?? 0 }
        memory += tree.node(at: key)?.memoryByteCount ?? 0
        touches[index].isModified = true
        if let fires, touches[index].fires != .subtree { touches[index].fires = fires }
    }

    // MARK: - Commit

    /// The first node that has changed since the start and must not have; nil when the transaction may commit.
    ///
    /// Only a node's own value and permissions count, and its list of children for those who asked for the list:
    /// two transactions that make different children of one parent both commit.
    func conflict(with live: StoreTree) -> Conflict? {
        for touch in touches {
            let now = live.node(at: touch.key)
            guard touch.base !== now else { continue }
            guard let before = touch.base, let now, before.serial == now.serial,
                before.generation == now.generation
            else { return Conflict(key: touch.key, author: now?.author) }
            if touch.readChildren, before.childrenGeneration != now.childrenGeneration {
                return Conflict(key: touch.key, author: now.childrenAuthor)
            }
        }
        return nil
    }

    /// What keeps a transaction from committing.
    struct Conflict {
        let key: PathKey
        /// Who changed the node; nil when it has been removed.
        let author: DomainID?
    }

    /// Makes the transaction's changes to the live tree, in which nothing conflicts with them.
    ///
    /// It costs by what was touched, whatever the tree holds, and however often a node was written.
    /// - Parameter adopt: gives nodes of owners who have gone to somebody alive.
    func commit(
        to live: inout StoreTree, by author: DomainID, _ ledger: inout Ledger,
        adopt: (AccessList) -> AccessList
    ) {
        var made: [StoreNode] = []
        for touch in touches where touch.isModified {
            let now = tree.node(at: touch.key)
            if let before = live.node(at: touch.key) {
                if let now, now.serial == before.serial {
                    guard now.generation != before.generation else { continue }
                    live.changeCommitted(
                        before, value: now.value, access: adopt(now.access), by: author, &ledger)
                    continue
                }
                live.removeCommitted(
                    before, isTop: keepsParent(of: touch.key), by: author, &ledger)
            }
            if let now { made.append(now) }
        }
        made.sort { $0.serial < $1.serial }
        for node in made {
            live.createCommitted(node, access: adopt(node.access), by: author, &ledger)
        }
    }

    /// Whether the node above is the one that was there at the start.
    private func keepsParent(of key: PathKey) -> Bool {
        guard let parent = key.parent, let now = tree.node(at: parent) else { return false }
        return now.serial == base.node(at: parent)?.serial
    }
}
