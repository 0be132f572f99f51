import HashTreeCollections
import XenCore
import XenStoreWire

/// The whole store as a value: one persistent map from full paths to nodes, so taking a snapshot is copying it
/// and costs O(1), and finding a node is one look-up however deep it lies.
struct StoreTree: Sendable {
    private(set) var nodes: TreeDictionary<PathKey, StoreNode> = [:]
    /// Numbers every change, so that equal numbers mean 'unchanged since'.
    private(set) var generation: UInt64 = 0

    /// The nodes that a new C xenstored has: `/tool/xenstored` and the special ones, all dom0's.
    init(_ ledger: inout Ledger) {
        for key in [PathKey.root, .introduceDomain, .releaseDomain] {
            put(nil, StoreNode(key, value: [], access: .dom0, at: 0, by: .dom0), &ledger)
        }
        create(PathKey(Array("/tool/xenstored".utf8)), [], for: .dom0, &ledger)
    }

    /// The node at an absolute or special path.
    func node(at key: PathKey) -> StoreNode? { nodes[key] }

    /// Replaces a node's value.
    mutating func write(
        _ value: [UInt8], to node: StoreNode, by author: DomainID, _ ledger: inout Ledger
    ) {
        generation += 1
        put(
            node, node.changed(value: value, access: node.access, at: generation, by: author),
            &ledger)
    }

    mutating func setAccess(
        _ access: AccessList, of node: StoreNode, by author: DomainID, _ ledger: inout Ledger
    ) {
        generation += 1
        put(
            node, node.changed(value: node.value, access: access, at: generation, by: author),
            &ledger)
    }

    /// Makes a node that is missing, and those that are missing above it with their parent's permissions.
    mutating func create(
        _ key: PathKey, _ value: [UInt8], for creator: Incarnation, _ ledger: inout Ledger
    ) {
        let key = key.compact
        var missing: [PathKey] = []
        var above: PathKey? = key
        var parent: StoreNode?
        while let path = above {
            parent = nodes[path]
            guard parent == nil else { break }
            missing.append(path)
            above = path.parent
        }
        // The root always exists, and special paths are never made.
        guard let parent, !missing.isEmpty else { return }
        let access = parent.access.inherited(by: creator)
        // From the lowest up, each with its one child; serials are given so that parents come first.
        generation += UInt64(missing.count)
        var child: ChildList.Entry?
        for (index, path) in missing.enumerated() {
            let serial = generation - UInt64(index)
            let path = path.compact
            let node = StoreNode(
                path, value: index == 0 ? value : [], access: access,
                children: child.map { ChildList($0) } ?? ChildList(), at: serial,
                by: creator.domain)
            put(nil, node, &ledger)
            child = ChildList.Entry(serial: serial, key: path)
        }
        if let child { addChild(child, to: parent, by: creator.domain, &ledger) }
    }

    private mutating func addChild(
        _ child: ChildList.Entry, to parent: StoreNode, by author: DomainID,
        _ ledger: inout Ledger
    ) {
        var children = parent.children
        children.append(child)
        put(parent, parent.changed(children: children, at: generation, by: author), &ledger)
    }

    /// Removes a node and all below it; never the root.
    mutating func remove(_ node: StoreNode, by author: DomainID, _ ledger: inout Ledger) {
        generation += 1
        detach(node, by: author, &ledger)
        var pending = [node]
        while let node = pending.popLast() {
            take(node, &ledger)
            node.children.forEach { if let child = nodes[$0.key] { pending.append(child) } }
        }
    }

    private mutating func detach(
        _ node: StoreNode, by author: DomainID, _ ledger: inout Ledger
    ) {
        guard let parent = node.key.parent.flatMap({ nodes[$0] }) else { return }
        var children = parent.children
        children.remove(serial: node.serial)
        put(parent, parent.changed(children: children, at: generation, by: author), &ledger)
    }

    private mutating func put(_ old: StoreNode?, _ new: StoreNode, _ ledger: inout Ledger) {
        nodes.updateValue(new, forKey: new.key)
        ledger.record(old, new)
    }

    private mutating func take(_ node: StoreNode, _ ledger: inout Ledger) {
        nodes.removeValue(forKey: node.key)
        ledger.record(node, nil)
    }

    /// A node and all below it, children before their parents and oldest first.
    func subtree(of top: StoreNode) -> [StoreNode] {
        var found: [StoreNode] = []
        var pending = [top]
        while let next = pending.popLast() {
            found.append(next)
            next.children.forEach { if let child = nodes[$0.key] { pending.append(child) } }
        }
        found.reverse()
        return found
    }

    // MARK: - Taking over what a transaction did

    /// Takes out one node of a transaction's, whose children the transaction took out as well.
    ///
    /// - Parameter isTop: whether the node above stays, so that its list is to change.
    mutating func removeCommitted(
        _ node: StoreNode, isTop: Bool, by author: DomainID, _ ledger: inout Ledger
    ) {
        generation += 1
        if isTop { detach(node, by: author, &ledger) }
        take(node, &ledger)
    }

    /// Adds one node as a transaction made it, below a parent that exists.
    mutating func createCommitted(
        _ node: StoreNode, access: AccessList, by author: DomainID, _ ledger: inout Ledger
    ) {
        guard let parent = node.key.parent.flatMap({ nodes[$0] }) else { return }
        generation += 1
        let made = StoreNode(
            node.key, value: node.value, access: access, at: generation, by: author)
        put(nil, made, &ledger)
        addChild(
            ChildList.Entry(serial: generation, key: node.key), to: parent, by: author, &ledger)
    }

    /// Gives a node the value and permissions that it has in a transaction.
    mutating func changeCommitted(
        _ node: StoreNode, value: [UInt8], access: AccessList, by author: DomainID,
        _ ledger: inout Ledger
    ) {
        generation += 1
        put(node, node.changed(value: value, access: access, at: generation, by: author), &ledger)
    }
}
