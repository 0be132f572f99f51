package import XenCore
package import XenStoreWire

/// A connection's name within the server; never reused.
package struct ConnectionID: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What the server wants done.
package enum StoreOutput: Hashable, Sendable {
    case send(ConnectionID, Packet)
    case close(ConnectionID)
}

/// The store as a value: requests and domain events in; replies, watch events and closed connections out.
///
/// Where docs/misc/xenstore.txt is silent it answers as the C xenstored does. On purpose it differs in these:
/// a transaction sees one moment of the tree from its start to its end, and two that make different children
/// of a node both commit; numbers are decimal; absolute paths over 3072 bytes are refused from dom0 too.
package struct StoreCore: Sendable {
    struct Connection: Sendable {
        let domain: DomainID
        var watches: [RegisteredWatch] = []
        var transactions: [TransactionID: StoreTransaction] = [:]
        var lastTransaction: UInt32 = 0
    }

    /// What is known of a domain that has been introduced.
    struct Domain: Sendable {
        var target: DomainID?
    }

    let quota: StoreQuota
    var tree = StoreTree()
    var connections: [ConnectionID: Connection] = [:]
    var domains: [DomainID: Domain] = [.dom0: Domain()]
    private var lastConnection: UInt64 = 0

    package init(quota: StoreQuota = StoreQuota()) { self.quota = quota }

    /// Opens a connection that speaks for `domain`.
    package mutating func connect(as domain: DomainID) -> ConnectionID {
        lastConnection += 1
        let id = ConnectionID(rawValue: lastConnection)
        connections[id] = Connection(domain: domain)
        return id
    }

    /// Forgets a connection, its watches and its transactions.
    package mutating func disconnect(_ id: ConnectionID) { connections[id] = nil }

    /// Makes a domain known, and tells `@introduceDomain` if it was not.
    package mutating func introduce(_ domain: DomainID) -> [StoreOutput] {
        guard domains[domain] == nil else { return [] }
        domains[domain] = Domain()
        return events(for: [specialChange(.introduceDomain)])
    }

    /// Forgets a domain that has gone: its connections, its nodes, its entries in others' permissions.
    package mutating func release(_ domain: DomainID) -> [StoreOutput] {
        guard domain != .dom0, domains.removeValue(forKey: domain) != nil else { return [] }
        for id in domains.keys where domains[id]?.target == domain { domains[id]?.target = nil }
        let closed = connections.filter { $0.value.domain == domain }.keys.sorted()
        for id in closed { connections[id] = nil }
        let before = tree
        let changes = tree.forget(domain).flatMap { Self.removal(of: $0, from: before) }
        return closed.map(StoreOutput.close)
            + events(for: changes + [specialChange(.releaseDomain)])
    }

    /// Answers one request. The events that it causes come before its reply, but for a new watch's own.
    package mutating func handle(_ packet: Packet, from id: ConnectionID) -> [StoreOutput] {
        guard let client = identity(of: id) else { return [] }
        var request = RequestContext(
            connection: id, transaction: packet.transaction, client: client)
        var outputs: [StoreOutput]
        var reply: Packet?
        do throws(StoreErrorName) {
            let payload = try perform(packet, &request)
            guard payload.count <= Packet.payloadByteCountLimit else { throw .tooBig }
            outputs = request.outputs
            reply = Self.reply(packet, packet.operation, payload)
        } catch {
            outputs = []
            request.outputsAfterReply = []
            reply = Self.reply(packet, .error, error.payload)
        }
        outputs += reply.map { [.send(id, $0)] } ?? []
        return outputs + request.outputsAfterReply
    }

    /// For whom a connection speaks; nil once it has ended.
    func identity(of id: ConnectionID) -> StoreClientIdentity? {
        guard let domain = connections[id]?.domain else { return nil }
        return StoreClientIdentity(domain: domain, target: domains[domain]?.target)
    }

    private static func reply(
        _ request: Packet, _ operation: StoreOperation, _ payload: [UInt8]
    ) -> Packet? {
        try? Packet(
            operation, requestID: request.requestID, transaction: request.transaction,
            payload: payload)
    }

    /// Operations for dom0 alone.
    private static let privileged: Set<StoreOperation> = [
        .introduce, .release, .isDomainIntroduced, .resume, .setTarget,
    ]

    private mutating func perform(
        _ packet: Packet, _ context: inout RequestContext
    ) throws(StoreErrorName) -> [UInt8] {
        guard Self.served.contains(packet.operation) else { throw .notImplemented }
        if Self.privileged.contains(packet.operation), !context.client.isPrivileged {
            throw .accessDenied
        }
        if packet.operation == .watch || packet.operation == .unwatch {
            context.transaction = .none
        } else if context.transaction != .none,
            connections[context.connection]?.transactions[context.transaction] == nil
        {
            throw .noEntry
        }
        let request = try Request(decoding: packet.operation, payload: packet.payload)
        return try perform(request, &context)
    }

    /// What this server can do; the operations that the protocol calls optional are answered `ENOSYS`.
    private static let served: Set<StoreOperation> = [
        .directory, .read, .getPermissions, .watch, .unwatch, .transactionStart, .transactionEnd,
        .introduce, .release, .getDomainPath, .write, .makeDirectory, .remove, .setPermissions,
        .isDomainIntroduced, .resume, .setTarget, .resetWatches, .directoryPart,
    ]

    private mutating func perform(
        _ request: Request, _ context: inout RequestContext
    ) throws(StoreErrorName) -> [UInt8] {
        switch request {
        case .read(let path): return try read(path, context).value
        case .directory(let path): return Fields.encode(try list(path, context).names)
        case .directoryPart(let path, let offset): return try part(path, offset, context)
        case .getPermissions(let path):
            return Fields.encode(try permissions(path, context).map(\.bytes))
        case .write(let path, let value): try write(path, value, &context)
        case .makeDirectory(let path): try makeDirectory(path, &context)
        case .remove(let path): try remove(path, &context)
        case .setPermissions(let path, let entries): try setPermissions(path, entries, &context)
        case .watch(let path, let token, let depth): try watch(path, token, depth, &context)
        case .unwatch(let path, let token): try unwatch(path, token, context)
        case .resetWatches:
            connections[context.connection]?.watches = []
            connections[context.connection]?.transactions = [:]
        case .transactionStart: return Fields.encode([decimal(try start(context).rawValue)])
        case .transactionEnd(let commit): try end(commit, &context)
        case .introduce(let domain, _, let port):
            guard port.rawValue != 0, domain < .firstReserved else { throw .invalid }
            context.outputs += introduce(domain)
        case .release(let domain):
            try requireGuest(domain)
            context.outputs += release(domain)
        case .resume(let domain): try requireGuest(domain)
        case .isDomainIntroduced(let domain):
            return Fields.encode([Array((domains[domain] == nil ? "F" : "T").utf8)])
        case .getDomainPath(let domain): return Fields.encode([StorePath.home(of: domain).bytes])
        case .setTarget(let domain, let target):
            guard domains[domain] != nil, domains[target] != nil else { throw .noEntry }
            domains[domain]?.target = target
        case .control, .getFeature, .setFeature, .getQuota, .setQuota: throw .notImplemented
        }
        return Reply.acknowledgement
    }

    private func requireGuest(_ domain: DomainID) throws(StoreErrorName) {
        guard domain != .dom0 else { throw .invalid }
        guard domains[domain] != nil else { throw .noEntry }
    }
}

/// A request on its way through the core: who asks, where, and what it has caused.
struct RequestContext {
    let connection: ConnectionID
    var transaction: TransactionID
    let client: StoreClientIdentity
    var outputs: [StoreOutput] = []
    var outputsAfterReply: [StoreOutput] = []
}
