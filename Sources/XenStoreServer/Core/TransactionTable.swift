/// All open transactions, each in a place of its own, where it is changed.
struct TransactionTable: Sendable {
    private var slots: [StoreTransaction?] = []
    private var freeSlots: [Int] = []

    var count: Int { slots.count - freeSlots.count }

    subscript(slot: Int) -> StoreTransaction? {
        _read { yield slots[slot] }
        _modify { yield &slots[slot] }
    }

    mutating func insert(_ transaction: StoreTransaction) -> Int {
        guard let slot = freeSlots.popLast() else {
            slots.append(transaction)
            return slots.count - 1
        }
        slots[slot] = transaction
        return slot
    }

    mutating func remove(_ slot: Int) -> StoreTransaction? {
        guard let transaction = slots[slot].take() else { return nil }
        freeSlots.append(slot)
        return transaction
    }
}
