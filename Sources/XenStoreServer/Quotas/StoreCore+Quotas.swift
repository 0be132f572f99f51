import XenCore
import XenStoreWire

/// What guests may use, and what they do.
extension StoreCore {
    /// A client's limit, as large as can be where there is none.
    func limit(_ path: KeyPath<StoreQuota, Int>, _ client: StoreClientIdentity) -> Int {
        guard !client.isPrivileged, let limit = domains[client.domain]?.quota[keyPath: path],
            limit != 0
        else { return .max }
        return limit
    }

    /// Refuses a guest that would come to `amount`, or remembers that it did.
    mutating func check(
        _ amount: Int, _ limit: KeyPath<StoreQuota, Int>, _ peak: WritableKeyPath<Usage, Int>,
        _ client: StoreClientIdentity, or error: StoreErrorName
    ) throws(StoreErrorName) {
        guard !client.isPrivileged, let record = domains[client.domain] else { return }
        if StoreQuota.exceeds(amount, record.quota[keyPath: limit]) { throw error }
        if amount > record.peak[keyPath: peak] {
            domains[client.domain]?.peak[keyPath: peak] = amount
        }
    }

    /// What a domain uses now.
    func usage(of domain: DomainID) -> Usage {
        let record = domains[domain]
        var usage = record?.peak ?? Usage()
        usage.nodes = tree.ledger.account(of: domain).nodes
        usage.memory = memory(of: domain)
        usage.watches = record?.watches ?? 0
        usage.transactions = record?.transactions ?? 0
        return usage
    }

    /// Bytes that a domain has of the store now.
    func memory(of domain: DomainID) -> Int {
        tree.ledger.account(of: domain).memory + (domains[domain]?.ownMemory ?? 0)
    }

    /// Whether a guest may have so many bytes more.
    private mutating func checkMemory(
        _ byteCount: Int, _ context: RequestContext
    ) throws(StoreErrorName) {
        let client = context.client
        guard byteCount > 0, !client.isPrivileged else { return }
        guard memory(of: client.domain) + byteCount <= limit(\.memoryByteCount, client) else {
            throw refusal(dooming: context)
        }
    }

    /// Whether a guest's transaction may come to depend on one more node.
    mutating func checkLook(
        at path: PathKey, _ context: RequestContext
    ) throws(StoreErrorName) {
        guard let slot = context.transactionSlot, !context.client.isPrivileged else { return }
        guard transactions[slot].touches.count < limit(\.transactionNodes, context.client) else {
            throw refusal(dooming: context)
        }
        try checkMemory(OpenTransaction.byteCount(ofLookAt: path), context)
    }

    /// Whether a guest may make a node so many bytes larger, or smaller: a transaction needs room for its own, too.
    mutating func checkChange(
        of node: StoreNode, by byteCount: Int, _ context: RequestContext
    ) throws(StoreErrorName) {
        guard !context.client.isPrivileged else { return }
        try checkMemory(byteCount + copyByteCount(of: node, context), context)
    }

    private func copyByteCount(of node: StoreNode, _ context: RequestContext) -> Int {
        context.transactionSlot.map { transactions[$0].byteCount(ofCopying: node) } ?? 0
    }

    /// Whether a guest may write so many bytes to a node, which is made if there is none.
    mutating func checkWrite(
        to path: PathKey, _ node: StoreNode?, _ byteCount: Int, _ context: RequestContext
    ) throws(StoreErrorName) {
        try checkSize(byteCount + (node?.children.byteCount ?? 0), context)
        if let node {
            try checkChange(of: node, by: byteCount - node.value.count, context)
        } else {
            try checkMemory(byteCount + checkCreation(of: path, context), context)
        }
    }

    private mutating func checkSize(
        _ byteCount: Int, _ context: RequestContext
    ) throws(StoreErrorName) {
        do {
            try check(
                byteCount, \.nodeByteCount, \.nodeByteCount, context.client, or: .noSpace)
        } catch { throw refusal(dooming: context) }
    }

    /// Whether a guest may make a node and those missing above it. Returns the bytes that they take without a value.
    private mutating func checkCreation(
        of path: PathKey, _ context: RequestContext
    ) throws(StoreErrorName) -> Int {
        let client = context.client
        var missing = 1
        var child = path
        var above: StoreNode?
        while let key = child.parent {
            above = node(at: key, context)
            if above != nil { break }
            missing += 1
            child = key
        }
        // The root always exists.
        guard let above else { return 0 }
        try checkSize(above.byteCount + child.name.count + 1, context)
        let account = context.transactionSlot.map { transactions[$0].account }
        let used = tree.ledger.account(of: client.domain).nodes + (account?.nodes ?? 0)
        let limit = limit(\.nodes, client)
        guard used + missing <= limit else {
            // As in the C daemon, part of the nodes would have been made before the limit was met.
            throw used + 1 <= limit ? refusal(dooming: context) : .noSpace
        }
        var memory = copyByteCount(of: above, context)
        var made = path
        for _ in 0..<missing {
            // And its name in the list above it.
            memory += StoreNode.memoryByteCount(made, above.access) + made.name.count + 1
            made = made.parent ?? made
        }
        return memory
    }

    /// The node as the request sees it, on which nothing depends.
    private func node(at path: PathKey, _ context: RequestContext) -> StoreNode? {
        guard let slot = context.transactionSlot else { return tree.node(at: path) }
        return transactions[slot].node(at: path)
    }

    /// A write that is refused for its size leaves a transaction that can only fail, as in the C daemon.
    private mutating func refusal(dooming context: RequestContext) -> StoreErrorName {
        if let slot = context.transactionSlot { transactions[slot].doom() }
        return .noSpace
    }

    /// Remembers the most that a guest has had.
    mutating func raisePeak(of domain: DomainID) {
        guard domain != .dom0 else { return }
        let usage = usage(of: domain)
        domains.update(domain) { $0.peak.raise(to: usage) }
        peak.raise(to: usage)
    }

    /// Tells when a guest has passed its soft limit on memory, either way.
    mutating func mindSoftLimit(of domain: DomainID, _ outputs: inout [StoreOutput]) {
        guard domain != .dom0, let record = domains[domain] else { return }
        let memory = memory(of: domain)
        let exceeds = StoreQuota.exceeds(memory, record.quota.softMemoryByteCount)
        guard exceeds != record.exceedsSoftMemory else { return }
        domains.update(domain) { $0.exceedsSoftMemory = exceeds }
        outputs.append(
            .log(
                exceeds
                    ? .softMemoryQuotaExceeded(domain, byteCount: memory)
                    : .softMemoryQuotaKept(domain, byteCount: memory)))
    }

    // MARK: - GET_QUOTA and SET_QUOTA

    func quotaReply(_ domain: DomainID?, _ name: [UInt8]?) throws(StoreErrorName) -> [UInt8] {
        guard let name else { return Fields.encode([Array(QuotaName.list.utf8)]) }
        if let domain, domain >= .firstReserved { throw .noEntry }
        guard let (name, isSoft) = QuotaName.parse(name) else { throw .invalid }
        let quota = domain.map { self.quota(of: $0) } ?? quota
        return Fields.encode([decimal(quota[keyPath: name.limit(isSoft: isSoft)])])
    }

    mutating func setQuota(
        _ domain: DomainID?, _ name: [UInt8], _ limit: UInt32
    ) throws(StoreErrorName) {
        if let domain, domain >= .firstReserved { throw .noEntry }
        guard let (name, isSoft) = QuotaName.parse(name), limit != .max else { throw .invalid }
        let path = name.limit(isSoft: isSoft)
        if let domain {
            know(domain)
            domains[domain]?.quota[keyPath: path] = Int(limit)
            ownLimits[domain, default: []].insert(name.text(isSoft: isSoft))
            quotaChangeCount += 1
        } else {
            quota[keyPath: path] = Int(limit)
        }
    }

    /// Sets a limit for all domains: for those that come, and for those that are there without one of their own.
    mutating func setQuotaOfAll(_ name: QuotaName, isSoft: Bool, _ limit: Int) {
        let path = name.limit(isSoft: isSoft)
        quota[keyPath: path] = limit
        for domain in domains.keys
        where ownLimits[domain]?.contains(name.text(isSoft: isSoft)) != true {
            domains[domain]?.quota[keyPath: path] = limit
        }
        quotaChangeCount += 1
    }
}
