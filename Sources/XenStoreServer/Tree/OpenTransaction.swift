import XenCore
import XenStoreWire

/// An open transaction: a snapshot, what it has seen and made of it, and so what decides whether it may be committed.
struct OpenTransaction: Sendable {
    /// What the transaction has seen or done of one node.
    struct Touch: Sendable {
        let key: PathKey
        /// The node as it was at the start.
        let base: StoreNode?
        /// The node as the transaction has it now.
        var node: StoreNode?
        var readChildren = false
        /// Whether it was made, changed or removed; a new list of children alone is none of these.
        var isModified = false
        var fires: WatchMatch?
    }

    /// The tree as it was at the start.
    let base: StoreTree
    /// What its owner had retired by then.
    let retiredByOwner: Int
    var generation: UInt64
    /// In the order in which the nodes were first touched.
    private(set) var touches: [Touch] = []
    /// Where they are; made once they are many.
    private var indices: [PathKey: Int] = [:]
    /// Bytes that it holds by itself: what it touched, and what it changed.
    private(set) var memory = 0
    /// What its changes are for the account of the domain that it belongs to.
    private(set) var account = Ledger.Account()
    let owner: Incarnation
    /// Set when it can only fail: a bound was passed within it.
    private(set) var isDoomed = false
    /// Set when it lost the snapshot that it began with.
    private(set) var isOutdated = false

    /// - Parameter retiredByOwner: bytes, as `DomainRecord.retiredByteCount` counts them.
    init(on tree: StoreTree, for owner: Incarnation, retiredByOwner: Int = 0) {
        base = tree
        self.retiredByOwner = retiredByOwner
        generation = tree.generation
        self.owner = owner
    }

    mutating func doom() { isDoomed = true }

    /// Forgets what it saw and did, and goes on with another snapshot; it can only conflict.
    mutating func restart(on tree: StoreTree, retiredByOwner: Int) {
        self = OpenTransaction(on: tree, for: owner, retiredByOwner: retiredByOwner)
        isOutdated = true
    }

    /// Bytes that a first look at a node takes.
    static func byteCount(ofLookAt key: PathKey) -> Int {
        key.count + MemoryLayout<Touch>.stride
    }

    /// Bytes that a change of a node takes for all that stays as it is: nothing where the transaction has its own.
    func byteCount(ofCopying node: StoreNode) -> Int {
        guard let index = index(of: node.key), touches[index].base === node else { return 0 }
        return node.memoryByteCount
    }

    /// Looks at a node for the first time: the outcome depends on it from now on.
    mutating func look(_ key: PathKey) -> StoreNode? {
        let node = base.node(at: key)
        let kept = node?.key ?? key.compact
        // Small ones, which are the most, then never move what they touched.
        if touches.isEmpty { touches.reserveCapacity(4) }
        touches.append(Touch(key: kept, base: node, node: node))
        memory += Self.byteCount(ofLookAt: kept)
        if touches.count > Self.scannedCount {
            if indices.isEmpty {
                for (index, touch) in touches.enumerated() { indices[touch.key] = index }
            } else {
                indices[kept] = touches.count - 1
            }
        }
        return node
    }

    /// So few are found sooner by looking at each, the newest first: that is mostly the one.
    private static let scannedCount = 8

    /// Where in `touches` a node is. Nil where the transaction has not looked yet.
    func index(of key: PathKey) -> Int? {
        indices.isEmpty ? touches.lastIndex { $0.key == key } : indices[key]
    }

    /// The outcome depends on the node's list of children, too.
    mutating func readChildren(of key: PathKey) {
        if let index = index(of: key) { touches[index].readChildren = true }
    }

    // MARK: - Changes, to nodes that have been looked at

    mutating func write(_ value: [UInt8], to node: StoreNode) {
        write(value, to: node, by: owner.domain)
        note(node.key, fires: .subtree)
    }

    mutating func setAccess(_ access: AccessList, of node: StoreNode) {
        setAccess(access, of: node, by: owner.domain)
        note(node.key, fires: .subtree)
    }

    mutating func create(_ key: PathKey, _ value: [UInt8]) {
        for (index, path) in create(key, value, for: owner).enumerated() {
            note(path, fires: index == 0 ? .subtree : nil)
        }
    }

    /// Removes a node and all below it, children first.
    mutating func remove(_ subtree: [StoreNode]) {
        guard let top = subtree.last else { return }
        remove(top, by: owner.domain)
        for node in subtree { note(node.key, fires: node === top ? .subtree : .exact) }
    }

    private mutating func note(_ key: PathKey, fires: WatchMatch?) {
        guard let index = index(of: key) else { return }
        touches[index].isModified = true
        if let fires, touches[index].fires != .subtree { touches[index].fires = fires }
    }
}

extension OpenTransaction: NodeTable {
    func node(at key: PathKey) -> StoreNode? {
        index(of: key).map { touches[$0].node } ?? base.node(at: key)
    }

    mutating func put(_ old: StoreNode?, _ new: StoreNode) {
        guard let index = index(of: new.key) else { return }
        count(old, -1)
        count(new, 1)
        // What the snapshot holds is not the transaction's own.
        memory += new.memoryByteCount
        if let old, old !== touches[index].base { memory -= old.memoryByteCount }
        touches[index].node = new
    }

    mutating func take(_ node: StoreNode) {
        guard let index = index(of: node.key) else { return }
        count(node, -1)
        if node !== touches[index].base { memory -= node.memoryByteCount }
        touches[index].node = nil
    }

    private mutating func count(_ node: StoreNode?, _ sign: Int) {
        guard let node, node.access.owner == owner else { return }
        account.nodes += sign
        account.memory += sign * node.memoryByteCount
    }
}

extension OpenTransaction {
    /// What keeps a transaction from committing.
    struct Conflict {
        let key: PathKey
        /// Who changed the node; nil when it has been removed.
        let author: DomainID?
    }

    /// The first node that has changed since the start and must not have; nil when the transaction may commit.
    ///
    /// Only a node's own value and permissions count, and its list of children for those who asked for the list:
    /// two transactions that make different children of one parent both commit.
    func conflict(with live: LiveTree) -> Conflict? {
        guard live.generation != base.generation else { return nil }
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

    /// Whether the node above is the one that was there at the start.
    private func keepsParent(of key: PathKey) -> Bool {
        guard let parent = key.parent, let now = node(at: parent) else { return false }
        return now.serial == base.node(at: parent)?.serial
    }

    /// What a commit does to the live tree.
    var changes: Changes {
        var changes = Changes()
        for index in touches.indices where touches[index].isModified {
            let touch = touches[index]
            if let before = touch.base {
                if let now = touch.node, now.serial == before.serial {
                    if now.generation != before.generation { changes.changed.append(now) }
                    continue
                }
                changes.removed.append((before.key, isTop: keepsParent(of: touch.key)))
            }
            if let now = touch.node { changes.made.append(now) }
        }
        if changes.made.count > 1 { changes.made.sort { $0.serial < $1.serial } }
        return changes
    }

    /// The outcome of a transaction, node by node.
    struct Changes {
        /// Nodes with a new value or new permissions.
        var changed: [StoreNode] = []
        /// Each with its whole subtree among these; `isTop` where the node above stays.
        var removed: [(key: PathKey, isTop: Bool)] = []
        /// Parents before their children, in the order of their making.
        var made: [StoreNode] = []
    }
}

extension LiveTree {
    /// Makes a transaction's changes, with which nothing conflicts. It costs by what the transaction changed, whatever the
    /// tree holds, and however often a node was written.
    ///
    /// - Parameter adopt: gives nodes of owners who have gone to somebody alive.
    mutating func commit(
        _ changes: OpenTransaction.Changes, by author: DomainID,
        adopt: (AccessList) -> AccessList
    ) {
        for removed in changes.removed {
            guard let node = node(at: removed.key) else { continue }
            generation += 1
            if removed.isTop { detach(node, by: author) }
            take(node)
        }
        for made in changes.made {
            guard let parent = made.key.parent.flatMap({ node(at: $0) }) else { continue }
            generation += 1
            put(
                nil,
                StoreNode(
                    made.key, value: made.value, access: adopt(made.access), at: generation,
                    by: author))
            addChild(
                ChildList.Entry(serial: generation, key: made.key), to: parent, by: author)
        }
        for changed in changes.changed {
            guard let node = node(at: changed.key) else { continue }
            generation += 1
            put(
                node,
                node.changed(
                    value: changed.value, access: adopt(changed.access), at: generation,
                    by: author))
        }
    }
}
