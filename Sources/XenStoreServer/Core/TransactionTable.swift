import XenCore

/// All open transactions, each in a place of its own, where it is changed.
struct TransactionTable: Sendable {
    /// With an empty one in each place that is free: an optional would be copied to look into it.
    private var transactions: [OpenTransaction] = []
    private var freeSlots: [Int] = []

    private static let nothing = OpenTransaction(on: StoreTree(), for: .dom0)

    var count: Int { transactions.count - freeSlots.count }

    /// The place of the oldest of a guest's, or of all guests'. Costs a look at each.
    func oldest(of guest: DomainID?) -> Int? {
        transactions.indices.filter { slot in
            let owner = transactions[slot].owner.domain
            return owner != .dom0 && owner == guest ?? owner
        }.min { transactions[$0].base.retiredByteCount < transactions[$1].base.retiredByteCount }
    }

    subscript(slot: Int) -> OpenTransaction {
        _read { yield transactions[slot] }
        _modify { yield &transactions[slot] }
    }

    mutating func insert(_ transaction: consuming OpenTransaction) -> Int {
        guard let slot = freeSlots.popLast() else {
            transactions.append(transaction)
            return transactions.count - 1
        }
        transactions[slot] = transaction
        return slot
    }

    /// Takes one out that is open.
    mutating func remove(_ slot: Int) -> OpenTransaction {
        freeSlots.append(slot)
        var transaction = Self.nothing
        swap(&transaction, &transactions[slot])
        return transaction
    }
}
