import XenStoreWire

/// Where a connection's open transactions lie, found without hashing: numbers are given in order, so that a new one
/// comes last, and closing one moves a few bytes for each that is newer.
struct TransactionPlaces: Sendable {
    struct Entry: Sendable {
        let id: TransactionID
        let slot: Int
    }

    /// In the order of their numbers.
    private(set) var entries: [Entry] = []

    var count: Int { entries.count }

    func slot(of id: TransactionID) -> Int? {
        let index = firstIndex(from: id)
        return index < entries.count && entries[index].id == id ? entries[index].slot : nil
    }

    /// Adds one whose number no other has.
    mutating func insert(_ id: TransactionID, at slot: Int) {
        // Numbers begin again after the last.
        entries.insert(Entry(id: id, slot: slot), at: firstIndex(from: id))
    }

    mutating func remove(_ id: TransactionID) {
        let index = firstIndex(from: id)
        if index < entries.count, entries[index].id == id { entries.remove(at: index) }
    }

    mutating func removeAll() { entries.removeAll() }

    /// The place of the first with this number or a higher one.
    private func firstIndex(from id: TransactionID) -> Int {
        entries.partitionPoint { $0.id.rawValue >= id.rawValue }
    }
}
