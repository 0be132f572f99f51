package import XenCore
package import XenStoreWire

/// The store as a value: requests, time and domain events in; replies, watch events and what else is to be done out.
///
/// Where docs/misc/xenstore.txt is silent it answers as the C xenstored does. Where it differs on purpose,
/// docs/store-differences.md says why.
package struct StoreCore: Sendable {
    /// The limits of domains that come from now on.
    package internal(set) var quota: StoreQuota
    var tree = LiveTree()
    var connections = ConnectionTable()
    var transactions = TransactionTable()
    var watches = WatchIndex()
    var domains = DomainTable()
    /// The limits that a domain has of its own, by SET_QUOTA.
    var ownLimits: [DomainID: Set<String>] = [:]
    /// Counts the changes to the limits of domains that are there.
    package internal(set) var quotaChangeCount = 0
    var incarnations = Incarnations()
    /// Who removed what while transactions were open.
    var removals = RemovalLog()
    /// Those who make too many transactions fail.
    var heldBack: Set<DomainID> = []
    /// `StoreTree.retiredByteCount` at the start of the guests' oldest open transaction, or before.
    var heldFrom = 0
    /// The most bytes of nodes that have gone from the tree and that guests' transactions keep, all together.
    let heldByteCountLimit: Int
    var introductions: [IntroductionTicket: PendingIntroduction] = [:]
    var lastTicket: UInt64 = 0
    var logSwitches: Set<LogSwitch> = []
    /// The most that any guest has had of everything.
    var peak = Usage()
    /// Memory for the watches that one change concerns, kept from change to change.
    var concerned: [RegisteredWatch] = []

    package init(quota: StoreQuota = StoreQuota(), heldByteCountLimit: Int = 1 << 26) {
        self.quota = quota
        self.heldByteCountLimit = heldByteCountLimit
        var dom0 = DomainRecord(quota: quota)
        dom0.isIntroduced = true
        domains[.dom0] = dom0
    }

    /// Opens a connection that speaks for `domain`.
    package mutating func connect(as domain: DomainID) -> ConnectionID {
        know(domain)
        return connections.open(for: incarnations.current(domain))
    }

    /// Forgets a connection, its watches and its transactions.
    package mutating func disconnect(_ id: ConnectionID) {
        guard let slot = connections.slot(of: id) else { return }
        resetWatches(at: slot)
        connections.close(slot)
    }

    /// Answers one request, or asks for what it takes to answer it. Everything is appended to `outputs`: the events
    /// that a request causes come before its reply, but for a new watch's own.
    ///
    /// - Parameter now: what time it is, for quotas on time.
    package mutating func handle(
        _ packet: Packet, from id: ConnectionID, now: Deadline, _ outputs: inout [StoreOutput]
    ) {
        guard let slot = connections.slot(of: id) else { return }
        let context = RequestContext(
            connection: id, slot: slot, transaction: packet.transaction,
            transactionSlot: packet.isPartOfTransaction
                ? connections[slot].transactions.slot(of: packet.transaction) : nil,
            requestID: packet.requestID,
            client: identity(of: connections.holder(slot)), now: now)
        let retired = tree.retiredByteCount
        defer {
            boundSnapshots(tree.retiredByteCount - retired, context, &outputs)
            mindSoftLimit(of: context.client.domain, &outputs)
        }
        if !logSwitches.isEmpty { trace(packet, &outputs) }
        do throws(StoreErrorName) {
            guard let payload = try perform(packet, context, &outputs) else { return }
            guard payload.count <= Packet.payloadByteCountLimit else { throw .tooBig }
            Self.reply(packet.operation, payload, context, &outputs)
        } catch {
            Self.reply(.error, error.payload, context, &outputs)
        }
    }

    static func reply(
        _ operation: StoreOperation, _ payload: [UInt8], _ context: RequestContext,
        _ outputs: inout [StoreOutput]
    ) {
        let packet = try? Packet(
            operation, requestID: context.requestID, transaction: context.transaction,
            payload: payload)
        if let packet { outputs.append(.send(context.connection, packet)) }
    }

    /// Whether requests of this connection may be handled, or wait because its domain keeps others from committing.
    package mutating func mayServe(_ id: ConnectionID, now: Deadline) -> Bool {
        guard !heldBack.isEmpty, let domain = connections.holder(of: id)?.domain else {
            return true
        }
        heldBack = heldBack.filter { domains[$0]?.credit.mayServe(at: now) == false }
        return !heldBack.contains(domain)
    }

    /// When the first of those who wait may go on; nil when nobody waits. Ask after `mayServe`.
    package var nextWake: Deadline? { heldBack.compactMap { domains[$0]?.credit.wake }.min() }

    /// Bytes that a connection's watches and transactions hold.
    package func memory(of id: ConnectionID) -> Int {
        connections.slot(of: id).map { memory(of: connections[$0]) } ?? 0
    }

    func memory(of connection: StoreConnection) -> Int {
        connection.transactions.entries.reduce(connection.watchMemory) {
            $0 + transactions[$1.slot].memory
        }
    }

    /// The limits of a domain.
    package func quota(of domain: DomainID) -> StoreQuota { domains[domain]?.quota ?? quota }

    /// What to tell a domain on its ring's page.
    package func features(of domain: DomainID) -> ServerFeatures {
        domains[domain]?.features ?? .all
    }

    // MARK: - Who is who

    func identity(of holder: Incarnation) -> StoreClientIdentity {
        guard holder.domain != .dom0 else {
            return StoreClientIdentity(incarnation: holder, target: nil)
        }
        return StoreClientIdentity(incarnation: holder, target: domains[holder.domain]?.target)
    }

    /// Has a record of the domain, with today's limits if it is new.
    mutating func know(_ domain: DomainID) {
        if domains[domain] == nil { domains[domain] = DomainRecord(quota: quota) }
    }
}

/// A request on its way through the core: who asks, and where.
struct RequestContext {
    let connection: ConnectionID
    let slot: Int
    /// The transaction that the packet names.
    let transaction: TransactionID
    /// Where that lies; nil outside any, for requests that ignore it, and when there is no such transaction.
    let transactionSlot: Int?
    let requestID: UInt32
    let client: StoreClientIdentity
    let now: Deadline
}
