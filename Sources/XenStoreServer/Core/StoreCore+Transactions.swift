import XenCore
import XenStoreWire

extension StoreCore {
    mutating func startTransaction(_ context: RequestContext) throws(StoreErrorName)
        -> TransactionID
    {
        guard context.transaction == .none else { throw .busy }
        let domain = context.client.domain
        if !context.client.isPrivileged {
            let count = (domains[domain]?.transactions ?? 0) + 1
            guard count <= limit(\.transactions, context.client) else { throw .noSpace }
        }
        var id = TransactionID.none
        repeat {
            connections[context.slot].lastTransaction &+= 1
            id = TransactionID(rawValue: connections[context.slot].lastTransaction)
        } while id == .none || connections[context.slot].transactions.slot(of: id) != nil
        let snapshot = context.client.isPrivileged ? tree.snapshot : tree.takeSnapshot()
        let slot = transactions.insert(
            OpenTransaction(
                on: snapshot, for: context.client.incarnation,
                retiredByOwner: domains[domain]?.retiredByteCount ?? 0))
        connections[context.slot].transactions.insert(id, at: slot)
        domains.update(domain) { $0.transactions += 1 }
        raisePeak(of: domain)
        return id
    }

    /// Ends the transaction, whatever comes of it.
    mutating func endTransaction(
        commit: Bool, _ context: RequestContext, _ outputs: inout [StoreOutput]
    ) throws(StoreErrorName) {
        let client = context.client
        guard let slot = context.transactionSlot else { throw .noEntry }
        connections[context.slot].transactions.remove(context.transaction)
        let transaction = forgetTransaction(slot, of: client.domain)
        defer { if transactions.count == 0 { removals.clear() } }
        guard commit else { return }
        guard !transaction.isOutdated else { throw .again }
        guard !transaction.isDoomed else { throw .noMemory }
        if !client.isPrivileged { try checkCommit(transaction, client) }
        if let conflict = transaction.conflict(with: tree) {
            blame(for: conflict, among: client.domain, context.now, &outputs)
            throw .again
        }
        // The snapshot goes before the tree changes, which then need not be copied for its sake.
        let (touches, changes) = (transaction.touches, transaction.changes)
        _ = consume transaction
        carryOut(changes, by: client.domain)
        raisePeak(of: client.domain)
        if !watches.isEmpty {
            for touch in touches {
                guard let match = touch.fires else { continue }
                fire(
                    touch.key, match, old: touch.base?.access,
                    now: tree.node(at: touch.key)?.access, &outputs)
            }
        }
    }

    private mutating func carryOut(_ changes: OpenTransaction.Changes, by author: DomainID) {
        if transactions.count > 0 {
            for removed in changes.removed { removals.note(removed.key, by: author) }
        }
        let incarnations = incarnations
        tree.commit(changes, by: author) { access in
            incarnations.isAlive(access.owner) ? access : access.owned(by: .dom0)
        }
    }

    /// Runs a change of the request's transaction, and counts what it takes.
    @discardableResult
    mutating func change<Result, Failure>(
        _ context: RequestContext,
        _ body: (inout OpenTransaction) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let slot = context.transactionSlot else { return nil }
        let before = transactions[slot].memory
        defer {
            let after = transactions[slot].memory
            if after != before {
                domains.update(context.client.domain) { $0.ownMemory += after - before }
            }
        }
        return try body(&transactions[slot])
    }

    /// Takes a transaction out, and back what it counted for.
    mutating func forgetTransaction(_ slot: Int, of domain: DomainID) -> OpenTransaction {
        let transaction = transactions.remove(slot)
        domains.update(domain) { $0.forget(transaction) }
        return transaction
    }

    /// Whether a guest would own more than it may: others may have used up what was left at the time.
    private func checkCommit(
        _ transaction: OpenTransaction, _ client: StoreClientIdentity
    ) throws(StoreErrorName) {
        let change = transaction.account
        let usage = usage(of: client.domain)
        if change.nodes > 0, usage.nodes + change.nodes > limit(\.nodes, client) {
            throw .noSpace
        }
        if change.memory > 0, usage.memory + change.memory > limit(\.memoryByteCount, client) {
            throw .noSpace
        }
    }

    // MARK: - Conflict credit (XSA-206)

    /// Charges the domain that made a transaction fail: neither dom0 nor the one whose transaction it was.
    private mutating func blame(
        for conflict: OpenTransaction.Conflict, among domain: DomainID, _ now: Deadline,
        _ outputs: inout [StoreOutput]
    ) {
        let author = conflict.author ?? removals.author(of: conflict.key)
        guard let author, author != .dom0, author != domain, domains[author] != nil else {
            return
        }
        charge(author, now, &outputs)
    }

    /// A guest has made another's transaction fail: from a few in a row on it waits.
    mutating func charge(
        _ author: DomainID, _ now: Deadline, _ outputs: inout [StoreOutput]
    ) {
        domains[author]?.credit.charge(at: now)
        if domains[author]?.credit.mayServe(at: now) == false {
            if heldBack.insert(author).inserted { outputs.append(.log(.heldBack(author))) }
        }
    }
}

extension DomainRecord {
    /// Takes back what a transaction counted for, and remembers the largest.
    fileprivate mutating func forget(_ transaction: OpenTransaction) {
        transactions -= 1
        ownMemory -= transaction.memory
        peak.transactionNodes = max(peak.transactionNodes, transaction.touches.count)
    }
}
