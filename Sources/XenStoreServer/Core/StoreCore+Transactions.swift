import XenCore
import XenStoreWire

extension StoreCore {
    mutating func start(_ context: RequestContext) throws(StoreErrorName) -> TransactionID {
        guard context.transaction == .none else { throw .busy }
        let domain = context.client.domain
        let count = (domains[domain]?.transactions ?? 0) + 1
        guard count <= limit(\.transactions, context.client) else { throw .noSpace }
        guard var last = connections[context.slot]?.lastTransaction else { throw .inputOutput }
        repeat {
            last &+= 1
        } while last == 0
            || connections[context.slot]?.transactions[TransactionID(rawValue: last)] != nil
        let id = TransactionID(rawValue: last)
        connections[context.slot]?.lastTransaction = last
        connections[context.slot]?.transactions[id] = StoreTransaction(on: tree)
        transactionCount += 1
        domains[domain]?.transactions = count
        raisePeak(of: domain)
        return id
    }

    /// Ends the transaction, whatever comes of it.
    mutating func end(
        _ commit: Bool, _ context: RequestContext, _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) {
        let client = context.client
        let transaction = connections[context.slot]?.transactions
            .removeValue(forKey: context.transaction)
        guard let transaction else { throw .noEntry }
        forget(transaction, of: client.domain)
        defer { if transactionCount == 0 { removals.clear() } }
        guard commit else { return }
        guard !transaction.isDoomed else { throw .noMemory }
        try checkCommit(transaction, client)
        if let conflict = transaction.conflict(with: tree) {
            blame(for: conflict, among: client.domain, context.now, &outputs)
            throw .again
        }
        noteRemovals(by: transaction, client.domain)
        let predecessors = predecessors
        transaction.commit(to: &tree, by: client.domain, &ledger) { access in
            let owner = access.owner
            let isAlive =
                owner.domain == .dom0 || owner.number == predecessors[owner.domain] ?? 0
            return isAlive ? access : access.owned(by: .dom0)
        }
        if !watches.isEmpty {
            for touch in transaction.touches {
                guard let match = touch.fires else { continue }
                fire(
                    touch.key, match, old: touch.base?.access,
                    now: tree.node(at: touch.key)?.access, &outputs)
            }
        }
        noteUsage(context, &outputs)
    }

    /// Runs a change of the request's transaction, and counts what it takes.
    @discardableResult
    mutating func change<Result, Failure>(
        _ context: RequestContext,
        _ body: (inout StoreTransaction) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        let before = connections[context.slot]?.transactions[context.transaction]?.memory ?? 0
        defer {
            let after =
                connections[context.slot]?.transactions[context.transaction]?.memory ?? 0
            if after != before { domains[context.client.domain]?.ownMemory += after - before }
        }
        return try connections[context.slot]?.transactions[context.transaction]?.change(body)
    }

    /// Takes back what an ended transaction counted for.
    mutating func forget(_ transaction: StoreTransaction, of domain: DomainID) {
        transactionCount -= 1
        domains[domain]?.transactions -= 1
        domains[domain]?.ownMemory -= transaction.memory
        guard transaction.touches.count > domains[domain]?.peak.transactionNodes ?? .max else {
            return
        }
        domains[domain]?.peak.transactionNodes = transaction.touches.count
    }

    /// Whether a guest would own more than it may: others may have used up what was left at the time.
    private func checkCommit(
        _ transaction: StoreTransaction, _ client: StoreClientIdentity
    ) throws(StoreErrorName) {
        guard !client.isPrivileged else { return }
        let change = transaction.ledger.account(of: client.domain)
        let usage = usage(of: client.domain)
        if change.nodes > 0, usage.nodes + change.nodes > limit(\.nodes, client) {
            throw .noSpace
        }
        if change.memory > 0, usage.memory + change.memory > limit(\.memoryByteCount, client) {
            throw .noSpace
        }
    }

    private mutating func noteRemovals(by transaction: StoreTransaction, _ domain: DomainID) {
        guard transactionCount > 0 else { return }
        for touch in transaction.touches
        where touch.isModified && touch.base != nil
            && transaction.tree.node(at: touch.key) == nil
        {
            removals.note(touch.key, by: domain)
        }
    }

    // MARK: - Conflict credit (XSA-206)

    /// Charges the domain that made a transaction fail: neither dom0 nor the one whose transaction it was.
    private mutating func blame(
        for conflict: StoreTransaction.Conflict, among domain: DomainID, _ now: Deadline,
        _ outputs: inout [StoreOutput]
    ) {
        let author = conflict.author ?? removals.author(of: conflict.key)
        guard let author, author != .dom0, author != domain, domains[author] != nil else {
            return
        }
        domains[author]?.credit.charge(at: now)
        if domains[author]?.credit.mayServe(at: now) == false {
            if logSwitches.contains(.wrl), !heldBack.contains(author) {
                outputs.append(.log(.heldBack(author)))
            }
            heldBack.insert(author)
        }
    }
}

extension StoreTransaction {
    /// Runs a change where the transaction lies.
    fileprivate mutating func change<Result, Failure>(
        _ body: (inout StoreTransaction) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(&self) }
}
