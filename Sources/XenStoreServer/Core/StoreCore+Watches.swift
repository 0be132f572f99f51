import XenCore
import XenStoreWire

extension StoreCore {
    /// Registers a watch. Returns its first event, which follows the reply.
    mutating func watch(
        _ path: StorePath, _ token: [UInt8], _ depth: UInt32?, _ context: RequestContext
    ) throws(StoreErrorName) -> Packet? {
        let domain = context.client.domain
        if depth != nil, !features(of: domain).contains(.watchDepth) { throw .invalid }
        let key = try absolute(path, context, orSpecial: true)
        let name = StoreConnection.WatchName(path: key, token: token)
        guard connections[context.slot].watches[name] == nil else { throw .exists }
        let count = (domains[domain]?.watches ?? 0) + 1
        guard count <= limit(\.watches, context.client) else { throw .noSpace }
        let isRelative = !path.isAbsolute && !path.isSpecial
        let watch = RegisteredWatch(
            connection: context.connection, serial: watches.nextSerial(), path: key,
            token: token, depth: depth,
            homeByteCount: isRelative ? connections[context.slot].home.count : 0)
        let memory = memory(of: domain) + watch.memoryByteCount
        guard memory <= limit(\.memoryByteCount, context.client) else { throw .noMemory }
        watches.insert(watch)
        connections[context.slot].watches[name] = watch.serial
        connections[context.slot].watchMemory += watch.memoryByteCount
        domains[domain]?.watches = count
        domains[domain]?.ownMemory += watch.memoryByteCount
        raisePeak(of: domain)
        return watch.event(at: key)
    }

    mutating func unwatch(
        _ path: StorePath, _ token: [UInt8], _ context: RequestContext
    ) throws(StoreErrorName) {
        let key = try absolute(path, context, orSpecial: true)
        let name = StoreConnection.WatchName(path: key, token: token)
        guard let serial = connections[context.slot].watches.removeValue(forKey: name) else {
            throw .noEntry
        }
        forgetWatch(serial, at: key, context.slot, context.client.domain)
    }

    private mutating func forgetWatch(
        _ serial: UInt64, at key: PathKey, _ slot: Int, _ domain: DomainID
    ) {
        guard let watch = watches.remove(serial: serial, at: key) else { return }
        connections[slot].watchMemory -= watch.memoryByteCount
        domains[domain]?.watches -= 1
        domains[domain]?.ownMemory -= watch.memoryByteCount
    }

    /// Drops a connection's watches and transactions.
    mutating func resetWatches(at slot: Int) {
        let domain = connections.holder(slot).domain
        for (name, serial) in connections[slot].watches {
            forgetWatch(serial, at: name.path, slot, domain)
        }
        for transaction in connections[slot].transactions.entries {
            _ = forgetTransaction(transaction.slot, of: domain)
        }
        connections[slot].watches = [:]
        connections[slot].transactions.removeAll()
        if transactions.count == 0 { removals.clear() }
    }

    /// Appends an event for each watch that a change concerns and whose owner may learn of it: who could read the
    /// node, or can, or can read its parent. In the order of the connections' opening, then of registration.
    ///
    /// - Parameters:
    ///   - old: the node's permissions before the change, where it changed them or removed the node.
    ///   - now: the node's permissions after it; where nil, those that it has in the tree.
    mutating func fire(
        _ path: PathKey, _ match: WatchMatch, old: AccessList?, now: AccessList?,
        _ outputs: inout [StoreOutput]
    ) {
        guard !watches.isEmpty else { return }
        watches.collect(path, match, into: &concerned)
        guard !concerned.isEmpty else { return }
        defer { concerned.removeAll(keepingCapacity: true) }
        if concerned.count > 1 {
            concerned.sort { ($0.connection, $0.serial) < ($1.connection, $1.serial) }
        }
        let now = now ?? tree.node(at: path)?.access
        let parent = now == nil ? nil : path.parent.flatMap { tree.node(at: $0) }?.access
        var client: (id: ConnectionID, maySee: Bool)?
        for watch in concerned {
            if client?.id != watch.connection {
                client = (watch.connection, maySee(watch.connection, old, now, parent))
            }
            guard client?.maySee == true, let event = watch.event(at: path) else { continue }
            outputs.append(.send(watch.connection, event))
        }
    }

    private func maySee(
        _ id: ConnectionID, _ old: AccessList?, _ now: AccessList?, _ parent: AccessList?
    ) -> Bool {
        guard let holder = connections.holder(of: id) else { return false }
        let client = identity(of: holder)
        return client.mayRead(old) || client.mayRead(now) || client.mayRead(parent)
    }

    /// Tells of a domain that came or went.
    mutating func fireSpecial(
        _ path: PathKey, _ domain: DomainID, _ outputs: inout [StoreOutput]
    ) {
        let access = tree.node(at: path)?.access
        fire(path, .special, old: nil, now: access, &outputs)
        let ofDomain = PathKey(path.bytes + [UInt8(ascii: "/")] + decimal(domain.rawValue))
        fire(ofDomain, .specialOfDomain, old: nil, now: access, &outputs)
    }
}
