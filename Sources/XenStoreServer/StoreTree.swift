import HashTreeCollections
import XenCore
import XenStoreWire

/// The whole store as a value: taking a snapshot is copying it, and costs O(1).
struct StoreTree: Sendable {
    private var root: StoreNode
    /// The special paths, which have permissions and nothing else.
    private var special: TreeDictionary<StorePath, StoreNode>
    /// How many nodes each domain owns.
    private var ownedCounts: TreeDictionary<DomainID, Int> = [:]
    /// Numbers every change, so that equal numbers mean 'unchanged since'.
    private var generation: UInt64 = 0

    /// The nodes that a new C xenstored has: `/tool/xenstored` and the special ones, all dom0's.
    init() {
        let permissions = [Permission(.none, for: .dom0)]
        root = StoreNode(permissions: permissions, generation: 0)
        let node = root
        special = [.introduceDomain: node, .releaseDomain: node]
        ownedCounts[.dom0] = 3
        apply(.makeDirectory("/tool/xenstored", creator: nil))
    }

    /// The node at an absolute or special path.
    func node(at path: StorePath) -> StoreNode? {
        guard !path.isSpecial else { return special[path] }
        var node = root
        for name in path.components {
            guard let child = node.children[Array(name)] else { return nil }
            node = child
        }
        return node
    }

    /// A node and all below it, parents first; siblings oldest first unless told otherwise.
    func subtree(of path: StorePath, lastFirst: Bool = false) -> [Placed] {
        guard let top = node(at: path) else { return [] }
        let above = path.parent.flatMap { node(at: $0)?.permissions }
        var found: [Placed] = []
        var pending = [Placed(path: path, node: top, parentPermissions: above)]
        while let next = pending.popLast() {
            found.append(next)
            let children = next.node.childrenInOrder
            for (name, child) in lastFirst ? children : children.reversed() {
                pending.append(
                    Placed(
                        path: next.path.child(name), node: child,
                        parentPermissions: next.node.permissions))
            }
        }
        return found
    }

    /// A node with its place in the tree.
    struct Placed {
        let path: StorePath
        let node: StoreNode
        let parentPermissions: [Permission]?
    }

    func ownedCount(of domain: DomainID) -> Int { ownedCounts[domain] ?? 0 }

    /// Makes a change that has been found to be legal: the node exists where one is needed.
    mutating func apply(_ effect: StoreEffect) {
        generation += 1
        switch effect {
        case .write(let path, let value, let creator):
            create(path, creator) { node, generation in
                node.value = value
                node.generation = generation
            }
        case .makeDirectory(let path, let creator):
            create(path, creator) { _, _ in }
        case .remove(let path):
            remove(path)
        case .setPermissions(let path, let permissions):
            setPermissions(path, permissions)
        }
    }

    /// Removes what a domain owns, with all below it, and its entries everywhere else.
    mutating func forget(_ domain: DomainID) -> [StorePath] {
        var gone: [StorePath] = []
        var changed: [(StorePath, [Permission])] = []
        var pending: [(path: StorePath, node: StoreNode)] = [(.root, root)]
        while let (path, node) = pending.popLast() {
            if node.owner == domain, path != .root {
                gone.append(path)
                continue
            }
            let kept =
                node.permissions.prefix(1)
                + node.permissions.dropFirst().filter { $0.domain != domain }
            if kept.count < node.permissions.count { changed.append((path, Array(kept))) }
            for (name, child) in node.childrenInOrder {
                pending.append((path.child(name), child))
            }
        }
        for (path, permissions) in changed { apply(.setPermissions(path, permissions)) }
        for path in gone { apply(.remove(path)) }
        return gone
    }

    private mutating func create(
        _ path: StorePath, _ creator: DomainID?, _ body: (inout StoreNode, UInt64) -> Void
    ) {
        var made: [DomainID] = []
        let names = path.components.map { Array($0) }
        Self.create(names[...], in: &root, creator, generation, &made, body)
        for owner in made { ownedCounts[owner, default: 0] += 1 }
    }

    private static func create(
        _ names: ArraySlice<[UInt8]>, in node: inout StoreNode, _ creator: DomainID?,
        _ generation: UInt64,
        _ made: inout [DomainID], _ body: (inout StoreNode, UInt64) -> Void
    ) {
        guard let name = names.first else { return body(&node, generation) }
        var inherited = node.permissions
        if let creator { inherited[0].domain = creator }
        node.withChild(name, at: generation) { slot in
            var child: StoreNode
            if let existing = slot.take() {
                child = existing
            } else {
                child = StoreNode(permissions: inherited, generation: generation)
                made.append(child.owner)
            }
            create(names.dropFirst(), in: &child, creator, generation, &made, body)
            slot = child
        }
    }

    private mutating func remove(_ path: StorePath) {
        let names = path.components.map { Array($0) }
        var pending = [Self.remove(names[...], in: &root, generation)].compactMap { $0 }
        while let node = pending.popLast() {
            ownedCounts[node.owner, default: 0] -= 1
            pending.append(contentsOf: node.children.values)
        }
    }

    private static func remove(
        _ names: ArraySlice<[UInt8]>, in node: inout StoreNode, _ generation: UInt64
    ) -> StoreNode? {
        guard let name = names.first, node.children[name] != nil else { return nil }
        return node.withChild(name, at: generation) { slot in
            guard names.count > 1, var child = slot.take() else { return slot.take() }
            let removed = remove(names.dropFirst(), in: &child, generation)
            slot = child
            return removed
        }
    }

    private mutating func setPermissions(_ path: StorePath, _ permissions: [Permission]) {
        guard let owner = node(at: path)?.owner else { return }
        ownedCounts[owner, default: 0] -= 1
        ownedCounts[permissions[0].domain, default: 0] += 1
        let change: (inout StoreNode, UInt64) -> Void = { node, generation in
            node.permissions = permissions
            node.generation = generation
        }
        guard path.isSpecial else { return create(path, nil, change) }
        if var node = special[path] {
            change(&node, generation)
            special[path] = node
        }
    }
}

/// A change to the tree, as a transaction keeps it until it commits.
enum StoreEffect: Hashable, Sendable {
    /// Missing nodes on the way are made with their parent's permissions, and belong to `creator` when there is one.
    case write(StorePath, [UInt8], creator: DomainID?)
    case makeDirectory(StorePath, creator: DomainID?)
    case remove(StorePath)
    case setPermissions(StorePath, [Permission])
}
