import XenCore
import XenStoreWire

/// An open transaction: a copy of the tree at its start, the copy that it works on, and what it has used.
struct ModelTransaction {
    /// What a transaction has used of a node, and what it did.
    struct Use {
        let path: String
        var listsChildren = false
        /// Whether it changed the node, and whether watches above are told, too.
        var told: ModelWatch.Reach?
    }

    let base: ModelTree
    var tree: ModelTree
    /// In the order of their first use.
    private(set) var uses: [Use] = []

    init(on tree: ModelTree) {
        base = tree
        self.tree = tree
    }

    mutating func use(_ path: String) {
        if !uses.contains(where: { $0.path == path }) { uses.append(Use(path: path)) }
    }

    mutating func useChildren(of path: String) {
        guard let index = uses.firstIndex(where: { $0.path == path }) else { return }
        uses[index].listsChildren = true
    }

    mutating func tell(_ path: String, _ reach: ModelWatch.Reach) {
        guard let index = uses.firstIndex(where: { $0.path == path }) else { return }
        if uses[index].told != .above { uses[index].told = reach }
    }

    /// Whether a node that it used is not what it was: another value or permissions, gone or made anew; for those whose
    /// children it listed, other children.
    func conflicts(with live: ModelTree) -> Bool {
        uses.contains { use in
            let before = base.nodes[use.path]
            let now = live.nodes[use.path]
            return before?.made != now?.made || before?.changed != now?.changed
                || use.listsChildren && before?.childrenChanged != now?.childrenChanged
        }
    }

    /// Brings what it changed, and nothing else, to the live tree.
    func commit(to live: inout ModelTree, _ log: inout ModelTree.Log) {
        for (path, before) in base.nodes where tree.nodes[path]?.made != before.made {
            if live.nodes[path] != nil { live.remove(path, &log) }
        }
        let made = tree.nodes.filter { base.nodes[$0.key]?.made != $0.value.made }
        for (path, node) in made.sorted(by: { $0.value.made < $1.value.made }) {
            live.put(path, node.value, node.permissions, log.next())
        }
        for (path, node) in tree.nodes {
            guard let before = base.nodes[path], before.made == node.made,
                before.changed != node.changed
            else { continue }
            live.write(node.value, to: path, &log)
            live.setPermissions(node.permissions, of: path, &log)
        }
    }
}
