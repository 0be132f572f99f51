import XenCore
import XenStoreWire

/// Requests about nodes. Each works on the live tree, or on a transaction's copy when the context names one.
extension StoreCore {
    mutating func read(
        _ path: PathKey, _ context: RequestContext
    ) throws(StoreErrorName) -> StoreNode { try find(path, .read, context) }

    mutating func list(
        _ path: PathKey, _ context: RequestContext
    ) throws(StoreErrorName) -> ChildList {
        let node = try find(path, .read, context)
        if let slot = context.transactionSlot { transactions[slot].readChildren(of: path) }
        // Not even built when it cannot be sent.
        guard node.children.byteCount <= Packet.payloadByteCountLimit else { throw .tooBig }
        return node.children
    }

    /// The list of children from a byte offset, behind the number that changes whenever the list does.
    mutating func part(
        _ path: PathKey, _ offset: UInt32, _ context: RequestContext
    ) throws(StoreErrorName) -> [UInt8] {
        let node = try find(path, .read, context)
        if let slot = context.transactionSlot { transactions[slot].readChildren(of: path) }
        var payload = decimal(node.childrenGeneration) + [0]
        // One byte is kept for the empty string that marks the last part.
        let room = Packet.payloadByteCountLimit - payload.count - 1
        let isLast = node.children.appendPart(from: Int(offset), room: room, to: &payload)
        if isLast { payload.append(0) }
        return payload
    }

    mutating func permissions(
        _ path: PathKey, _ context: RequestContext
    ) throws(StoreErrorName) -> [UInt8] {
        let access = try find(path, .read, context).access
        // In a transaction an owner may have died since its start: what he leaves behind is dom0's.
        let owner = incarnations.isAlive(access.owner) ? access.owner.domain : .dom0
        var payload = Permission(access.entries[0].access, for: owner).bytes + [0]
        for entry in access.entries.dropFirst()
        where entry.holder.number == .max || incarnations.isAlive(entry.holder) {
            payload += Permission(entry.access, for: entry.holder.domain).bytes + [0]
        }
        return payload
    }

    mutating func write(
        _ path: PathKey, _ value: [UInt8], _ context: RequestContext,
        _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) {
        let node = try findForWriting(path, context)
        if !context.client.isPrivileged {
            try checkWrite(to: path, node, value.count, context)
        }
        let author = context.client.incarnation
        if context.transactionSlot == nil {
            if let node {
                tree.write(value, to: node, by: author.domain)
            } else {
                tree.create(path, value, for: author)
            }
            fire(path, .subtree, old: nil, now: node?.access, &outputs)
        } else if let node {
            change(context) { $0.write(value, to: node) }
        } else {
            change(context) { $0.create(path, value) }
        }
        raisePeak(of: author.domain)
    }

    mutating func makeDirectory(
        _ path: PathKey, _ context: RequestContext, _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) {
        guard try findForWriting(path, context) == nil else { return }
        if !context.client.isPrivileged { try checkWrite(to: path, nil, 0, context) }
        if context.transactionSlot == nil {
            tree.create(path, [], for: context.client.incarnation)
            fire(path, .subtree, old: nil, now: nil, &outputs)
        } else {
            change(context) { $0.create(path, []) }
        }
        raisePeak(of: context.client.domain)
    }

    mutating func remove(
        _ path: PathKey, _ context: RequestContext, _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) {
        guard let node = try findForWriting(path, context) else {
            guard let parent = path.parent, try look(parent, context) != nil else {
                throw .noEntry
            }
            return
        }
        guard let parent = path.parent else { throw .invalid }
        guard let slot = context.transactionSlot else {
            return remove(node, by: context.client.domain, &outputs)
        }
        let above = try look(parent, context)
        let subtree = transactions[slot].subtree(of: node)
        for node in subtree.reversed() {
            _ = try look(node.key, context)
            transactions[slot].readChildren(of: node.key)
        }
        if let above { try checkChange(of: above, by: 0, context) }
        change(context) { $0.remove(subtree) }
    }

    /// Removes a node and all below it, and tells, deepest first: watches on each node of that node alone.
    mutating func remove(
        _ node: StoreNode, by author: DomainID, _ outputs: inout [StoreOutput]
    ) {
        if !watches.isEmpty {
            for below in tree.subtree(of: node) {
                fire(
                    below.key, below === node ? .subtree : .exact, old: nil, now: below.access,
                    &outputs)
            }
        }
        if transactions.count > 0 { removals.note(node.key, by: author) }
        tree.remove(node, by: author)
    }

    mutating func setPermissions(
        _ path: PathKey, _ entries: [Permission], _ context: RequestContext,
        _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) {
        let client = context.client
        if !client.isPrivileged {
            try check(entries.count, \.permissions, \.permissions, client, or: .noSpace)
        }
        let access = try accessList(of: entries, client)
        let node = try find(path, [.write, .own], context)
        guard client.isPrivileged || access.owner == node.access.owner else {
            throw .notPermitted
        }
        try checkChange(
            of: node, by: access.memoryByteCount - node.access.memoryByteCount, context)
        if context.transactionSlot == nil {
            tree.setAccess(access, of: node, by: client.domain)
            fire(path, .subtree, old: node.access, now: access, &outputs)
        } else {
            change(context) { $0.setAccess(access, of: node) }
        }
        raisePeak(of: client.domain)
    }

    /// Entries as they are kept: with the domain that has the id now. An owner must be a domain; an entry of a guest's
    /// for somebody whom the server has never heard of is kept and counts for nobody, whoever gets that id. (XSA-322)
    private func accessList(
        of entries: [Permission], _ client: StoreClientIdentity
    ) throws(StoreErrorName) -> AccessList {
        guard entries[0].domain < .firstReserved else { throw .noEntry }
        let mayNameAny = domains[client.domain]?.features.contains(.anyDomain) ?? false
        return AccessList(
            entries.enumerated().map { index, entry in
                let holder: Incarnation
                if entry.domain == .any {
                    holder = mayNameAny ? .anyDomain : .nobody(.any)
                } else if entry.domain >= .firstReserved {
                    holder = .nobody(entry.domain)
                } else if index == 0 || client.isPrivileged || domains[entry.domain] != nil {
                    holder = incarnations.current(entry.domain)
                } else {
                    holder = .nobody(entry.domain)
                }
                return AccessList.Entry(holder: holder, access: entry.access)
            })
    }

    // MARK: - Looking, with permissions

    /// The node as the request sees it. In a transaction its outcome depends on it from now on.
    mutating func look(
        _ path: PathKey, _ context: RequestContext
    ) throws(StoreErrorName) -> StoreNode? {
        guard let slot = context.transactionSlot else { return tree.node(at: path) }
        if let index = transactions[slot].index(of: path) {
            return transactions[slot].touches[index].node
        }
        try checkLook(at: path, context)
        return change(context) { $0.look(path) } ?? nil
    }

    /// The node, if the client has all of `rights` to it. Who may not even see the nearest node above is told
    /// `EACCES` whether the node exists or not.
    private mutating func find(
        _ path: PathKey, _ rights: StoreRights, _ context: RequestContext
    ) throws(StoreErrorName) -> StoreNode {
        if let node = try look(path, context) {
            let client = context.client
            guard client.isPrivileged || client.rights(node.access).isSuperset(of: rights) else {
                throw .accessDenied
            }
            return node
        }
        var above = path.isSpecial ? PathKey.root : path.parent
        while let ancestor = above {
            if let node = try look(ancestor, context) {
                let allowed = context.client.rights(node.access)
                throw allowed.isDisjoint(with: rights) ? .accessDenied : .noEntry
            }
            above = ancestor.parent
        }
        throw .accessDenied
    }

    /// The node, or nil where the client may make one.
    private mutating func findForWriting(
        _ path: PathKey, _ context: RequestContext
    ) throws(StoreErrorName) -> StoreNode? {
        do { return try find(path, .write, context) } catch .noEntry { return nil }
    }
}
