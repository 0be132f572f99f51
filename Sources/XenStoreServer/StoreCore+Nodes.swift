import XenCore
import XenStoreWire

/// Requests about nodes. Each works on the live tree, or on a transaction's copy when the context names one.
extension StoreCore {
    func absolute(_ path: StorePath, _ client: StoreClientIdentity) throws(StoreErrorName)
        -> StorePath
    {
        let path = path.absolute(for: client.domain)
        guard client.isPrivileged || path.countedByteCount <= quota.pathByteCount else {
            throw .invalid
        }
        return path
    }

    mutating func read(
        _ path: StorePath, _ context: RequestContext
    ) throws(StoreErrorName) -> StoreNode {
        guard !path.isSpecial else { throw .invalid }
        return try find(try absolute(path, context.client), .read, context)
    }

    mutating func list(
        _ path: StorePath, _ context: RequestContext
    ) throws(StoreErrorName) -> StoreNode {
        guard !path.isSpecial else { throw .invalid }
        let path = try absolute(path, context.client)
        let node = try find(path, .read, context)
        try touch(path, context, readingChildren: true)
        return node
    }

    mutating func part(
        _ path: StorePath, _ offset: UInt32, _ context: RequestContext
    ) throws(StoreErrorName) -> [UInt8] {
        let node = try list(path, context)
        var part = DirectoryPart(generation: node.childrenGeneration, names: [], isLast: true)
        // One byte is kept for the empty string that marks the last part.
        var room = Packet.payloadByteCountLimit - part.payload.count
        var position = 0
        for name in node.names {
            defer { position += name.count + 1 }
            guard position >= offset else { continue }
            guard name.count + 1 <= room else {
                part.isLast = false
                break
            }
            room -= name.count + 1
            part.names.append(name)
        }
        return part.payload
    }

    mutating func permissions(
        _ path: StorePath, _ context: RequestContext
    ) throws(StoreErrorName) -> [Permission] {
        try find(try absolute(path, context.client), .read, context).permissions
    }

    mutating func write(
        _ path: StorePath, _ value: [UInt8], _ context: inout RequestContext
    ) throws(StoreErrorName) {
        guard !path.isSpecial else { throw .invalid }
        let path = try absolute(path, context.client)
        let node = try findForWriting(path, context)
        try checkSize(value.count + (node?.namesByteCount ?? 0), context.client)
        if node == nil { try checkCreation(of: path, context) }
        try change(
            .write(path, value, creator: context.client.creator), [.init(path, .subtree)], &context)
    }

    mutating func makeDirectory(
        _ path: StorePath, _ context: inout RequestContext
    ) throws(StoreErrorName) {
        guard !path.isSpecial else { throw .invalid }
        let path = try absolute(path, context.client)
        guard try findForWriting(path, context) == nil else { return }
        try checkCreation(of: path, context)
        try change(
            .makeDirectory(path, creator: context.client.creator), [.init(path, .subtree)], &context
        )
    }

    mutating func remove(_ path: StorePath, _ context: inout RequestContext) throws(StoreErrorName)
    {
        guard !path.isSpecial else { throw .invalid }
        let path = try absolute(path, context.client)
        guard try findForWriting(path, context) != nil else {
            guard let parent = path.parent, try look(parent, context) != nil else { throw .noEntry }
            return
        }
        guard path != .root else { throw .invalid }
        if let parent = path.parent { try touch(parent, context) }
        guard context.transaction != .none else {
            let changes = Self.removal(of: path, from: tree)
            tree.apply(.remove(path))
            context.outputs += events(for: changes)
            return
        }
        let removed = current(context).subtree(of: path).map(\.path)
        for path in removed { try touch(path, context, readingChildren: true) }
        try change(
            .remove(path), removed.map { FiredPath($0, $0 == path ? .subtree : .exact) }, &context)
    }

    mutating func setPermissions(
        _ path: StorePath, _ entries: [Permission], _ context: inout RequestContext
    ) throws(StoreErrorName) {
        guard context.client.isPrivileged || entries.count <= quota.permissions else {
            throw .noSpace
        }
        let path = try absolute(path, context.client)
        let node = try find(path, [.write, .own], context)
        guard context.client.isPrivileged || entries[0].domain == node.owner else {
            throw .notPermitted
        }
        try change(.setPermissions(path, entries), [.init(path, .subtree)], &context)
    }

    /// What removing a node tells, deepest first: watches on each node below it of that node alone.
    static func removal(of path: StorePath, from tree: StoreTree) -> [WatchChange] {
        tree.subtree(of: path, lastFirst: true).reversed().map { entry in
            WatchChange(
                FiredPath(entry.path, entry.path == path ? .subtree : .exact),
                oldPermissions: entry.node.permissions, permissions: entry.node.permissions,
                parentPermissions: entry.parentPermissions)
        }
    }

    // MARK: - Looking, with permissions

    /// The tree that the request sees.
    func current(_ context: RequestContext) -> StoreTree {
        connections[context.connection]?.transactions[context.transaction]?.tree ?? tree
    }

    mutating func touch(
        _ path: StorePath, _ context: RequestContext, readingChildren: Bool = false
    ) throws(StoreErrorName) {
        guard context.transaction != .none else { return }
        let limit = context.client.isPrivileged ? Int.max : quota.transactionNodes
        try connections[context.connection]?.transactions[context.transaction]?
            .touch(path, readingChildren: readingChildren, limit: limit)
    }

    private mutating func look(
        _ path: StorePath, _ context: RequestContext
    ) throws(StoreErrorName) -> StoreNode? {
        try touch(path, context)
        return current(context).node(at: path)
    }

    /// The node, if the client has all of `rights` to it. Who may not even see the nearest node above is told
    /// `EACCES` whether the node exists or not.
    private mutating func find(
        _ path: StorePath, _ rights: StoreRights, _ context: RequestContext
    ) throws(StoreErrorName) -> StoreNode {
        let node = try look(path, context)
        if let node {
            guard context.client.rights(node.permissions).isSuperset(of: rights) else {
                throw .accessDenied
            }
            return node
        }
        var above = path.isSpecial ? StorePath.root : path.parent
        while let ancestor = above {
            if let node = try look(ancestor, context) {
                let allowed = context.client.rights(node.permissions)
                throw allowed.isDisjoint(with: rights) ? .accessDenied : .noEntry
            }
            above = ancestor.parent
        }
        throw .accessDenied
    }

    /// The node, or nil where the client may make one.
    private mutating func findForWriting(
        _ path: StorePath, _ context: RequestContext
    ) throws(StoreErrorName) -> StoreNode? {
        do { return try find(path, .write, context) } catch .noEntry { return nil }
    }

    // MARK: - Changing, with quotas

    private func checkSize(_ byteCount: Int, _ client: StoreClientIdentity) throws(StoreErrorName) {
        guard client.isPrivileged || byteCount <= quota.nodeByteCount else { throw .noSpace }
    }

    private func checkCreation(of path: StorePath, _ context: RequestContext) throws(StoreErrorName)
    {
        guard !context.client.isPrivileged else { return }
        let tree = current(context)
        var missing = 1
        var child = path
        while let parent = child.parent {
            if let node = tree.node(at: parent) {
                try checkSize(node.byteCount + child.name.count + 1, context.client)
                break
            }
            missing += 1
            child = parent
        }
        guard tree.ownedCount(of: context.client.domain) + missing <= quota.nodes else {
            throw .noSpace
        }
    }

    private mutating func change(
        _ effect: StoreEffect, _ fired: [FiredPath], _ context: inout RequestContext
    ) throws(StoreErrorName) {
        if context.transaction != .none {
            connections[context.connection]?.transactions[context.transaction]?
                .apply(effect, firing: fired)
            return
        }
        let before = tree
        tree.apply(effect)
        let changes = fired.map { WatchChange($0, before: before, after: tree) }
        context.outputs += events(for: changes)
    }
}
