import XenCore

/// What guests' open transactions keep of a tree that changes meanwhile: a snapshot is had for nothing, and then every
/// node that is replaced or removed lives on in it.
///
/// A guest pays for what it changes itself: that counts for its memory. What others change costs it nothing, since it can do
/// nothing about it; that is bounded for all guests together. Either way the oldest transaction gives way: it lets go of its
/// snapshot, and conflicts.
extension StoreCore {
    ///
    /// A guest whose change makes another's transaction give way is charged as for any that it makes fail.
    /// - Parameter byteCount: what the client's request has retired.
    mutating func boundSnapshots(
        _ byteCount: Int, _ context: RequestContext, _ outputs: inout [StoreOutput]
    ) {
        let client = context.client
        let domain = client.domain
        if byteCount > 0, !client.isPrivileged {
            domains.update(domain) { $0.retiredByteCount += byteCount }
        }
        while tree.retiredByteCount - heldFrom > heldByteCountLimit {
            let (start, loser) = advance(heldFrom, of: nil) ?? (tree.retiredByteCount, nil)
            heldFrom = start
            if let loser, loser != domain, !client.isPrivileged {
                charge(domain, context.now, &outputs)
            }
        }
        guard !client.isPrivileged else { return }
        while let record = domains[domain], record.retiredByteCount > record.heldFrom,
            memory(of: domain) + record.retiredByteCount - record.heldFrom
                > limit(\.memoryByteCount, client)
        {
            let start = advance(record.heldFrom, of: domain)?.start ?? record.retiredByteCount
            domains.update(domain) { $0.heldFrom = start }
        }
    }

    /// Where the oldest transaction of a guest, or of all, began, which now gives way if it was at `start`, and then whose
    /// it is. Nil if there is none.
    private mutating func advance(
        _ start: Int, of guest: DomainID?
    ) -> (start: Int, loser: DomainID?)? {
        guard let slot = transactions.oldest(of: guest) else { return nil }
        let oldest =
            guest == nil
            ? transactions[slot].base.retiredByteCount : transactions[slot].retiredByOwner
        guard oldest == start else { return (oldest, nil) }
        restart(slot)
        return (oldest, transactions[slot].owner.domain)
    }

    private mutating func restart(_ slot: Int) {
        let owner = transactions[slot].owner.domain
        let memory = transactions[slot].memory
        domains.update(owner) { $0.ownMemory -= memory }
        transactions[slot].restart(
            on: tree.takeSnapshot(), retiredByOwner: domains[owner]?.retiredByteCount ?? 0)
    }
}
