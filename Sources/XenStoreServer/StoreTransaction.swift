import XenCore
import XenStoreWire

/// An open transaction: a snapshot, a working copy, and what decides at the end whether it may be committed.
struct StoreTransaction: Sendable {
    /// What the transaction has seen or done of one node.
    struct Touch: Sendable {
        var readChildren = false
        var fires: WatchMatch?
    }

    /// The tree as it was at the start.
    private let base: StoreTree
    /// The same with the transaction's own changes.
    private(set) var tree: StoreTree
    private var effects: [StoreEffect] = []
    private var touches: [StorePath: Touch] = [:]
    private var touchOrder: [StorePath] = []
    /// Set when it can only fail: a bound was passed within it.
    private(set) var isDoomed = false

    init(on tree: StoreTree) {
        base = tree
        self.tree = tree
    }

    /// Notes that the outcome depends on this node. Throws `ENOSPC` over the limit.
    mutating func touch(
        _ path: StorePath, readingChildren: Bool, limit: Int
    ) throws(StoreErrorName) {
        if touches[path] == nil {
            guard touches.count < limit else {
                isDoomed = true
                throw .noSpace
            }
            touches[path] = Touch()
            touchOrder.append(path)
        }
        if readingChildren { touches[path]?.readChildren = true }
    }

    mutating func apply(_ effect: StoreEffect, firing fired: [FiredPath]) {
        tree.apply(effect)
        effects.append(effect)
        for (path, match) in fired.map({ ($0.path, $0.match) })
        where touches[path]?.fires != .subtree {
            touches[path]?.fires = match
        }
    }

    /// The tree with this transaction's changes made to it, and what to tell the watches.
    ///
    /// Throws `EAGAIN` when a node that it depends on has changed since the start. Only a node's own value and
    /// permissions count, and its list of children for those who asked for the list: two transactions that make
    /// different children of one parent both commit.
    func committed(to live: StoreTree) throws(StoreErrorName) -> (
        tree: StoreTree, changes: [WatchChange]
    ) {
        for (path, touch) in touches {
            let before = base.node(at: path)
            let now = live.node(at: path)
            guard before?.generation == now?.generation, before?.serial == now?.serial else {
                throw .again
            }
            if touch.readChildren, before?.childrenGeneration != now?.childrenGeneration {
                throw .again
            }
        }
        var result = live
        for effect in effects { result.apply(effect) }
        let changes = touchOrder.compactMap { path in
            touches[path]?.fires.map { match in
                WatchChange(
                    FiredPath(path, match), before: base, after: result)
            }
        }
        return (result, changes)
    }
}
