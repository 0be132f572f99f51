import XenCore
import XenStoreWire

/// Nodes by their full paths, and the changes that can be made to them: the live tree, or what a transaction makes of it.
protocol NodeTable {
    /// Numbers every change, so that equal numbers mean 'unchanged since'.
    var generation: UInt64 { get set }

    /// The node at an absolute or special path.
    func node(at key: PathKey) -> StoreNode?

    /// Puts a node in its place, where `old` was.
    mutating func put(_ old: StoreNode?, _ new: StoreNode)

    /// Takes a node from its place, which it leaves empty.
    mutating func take(_ node: StoreNode)
}

extension NodeTable {
    /// Replaces a node's value.
    mutating func write(_ value: [UInt8], to node: StoreNode, by author: DomainID) {
        generation += 1
        put(
            node, node.changed(value: value, access: node.access, at: generation, by: author))
    }

    mutating func setAccess(_ access: AccessList, of node: StoreNode, by author: DomainID) {
        generation += 1
        put(node, node.changed(value: node.value, access: access, at: generation, by: author))
    }

    /// Makes a node that is missing, and those that are missing above it with their parent's permissions.
    ///
    /// Returns the paths of all that it made, the lowest first.
    @discardableResult
    mutating func create(
        _ key: PathKey, _ value: [UInt8], for creator: Incarnation
    ) -> [PathKey] {
        var made = [key.compact]
        var above = key.parent
        while let path = above, node(at: path) == nil {
            made.append(path.compact)
            above = path.parent
        }
        // The root always exists, and special paths are never made.
        guard let parent = above.flatMap({ node(at: $0) }) else { return [] }
        let access = parent.access.inherited(by: creator)
        // From the lowest up, each with its one child; serials are given so that parents come first.
        generation += UInt64(made.count)
        var children = ChildList()
        for (index, path) in made.enumerated() {
            let serial = generation - UInt64(index)
            put(
                nil,
                StoreNode(
                    path, value: index == 0 ? value : [], access: access, children: children,
                    at: serial, by: creator.domain))
            children = ChildList(ChildList.Entry(serial: serial, key: path))
        }
        let top = ChildList.Entry(
            serial: generation - UInt64(made.count - 1), key: made[made.count - 1])
        addChild(top, to: parent, by: creator.domain)
        return made
    }

    mutating func addChild(
        _ child: ChildList.Entry, to parent: StoreNode, by author: DomainID
    ) {
        var children = parent.children
        children.append(child)
        put(parent, parent.changed(children: children, at: generation, by: author))
    }

    /// Removes a node and all below it; never the root.
    mutating func remove(_ node: StoreNode, by author: DomainID) {
        generation += 1
        detach(node, by: author)
        for node in subtree(of: node) { take(node) }
    }

    /// Takes a node out of its parent's list.
    mutating func detach(_ node: StoreNode, by author: DomainID) {
        guard let parent = node.key.parent.flatMap({ self.node(at: $0) }) else { return }
        var children = parent.children
        children.remove(serial: node.serial)
        put(parent, parent.changed(children: children, at: generation, by: author))
    }

    /// A node and all below it, children before their parents and oldest first.
    func subtree(of top: StoreNode) -> [StoreNode] {
        var found: [StoreNode] = []
        var pending = [top]
        while let next = pending.popLast() {
            found.append(next)
            next.children.forEach { entry in
                if let child = node(at: entry.key) { pending.append(child) }
            }
        }
        found.reverse()
        return found
    }
}
