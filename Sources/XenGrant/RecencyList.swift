/// A dictionary that knows which of its entries was used longest ago. No step but `removeAll(where:)` scans.
struct RecencyList<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry: Sendable {
        let key: Key
        let value: Value
        /// Slots; nil at the ends.
        var newer: Int?
        var older: Int?
    }

    private var slots: [Entry?] = []
    private var freeSlots: [Int] = []
    private var slotOfKey: [Key: Int] = [:]
    private var newest: Int?
    private var oldest: Int?

    var count: Int { slotOfKey.count }

    /// Every entry, the one used longest ago first.
    var all: [(key: Key, value: Value)] {
        var entries: [(key: Key, value: Value)] = []
        var next = oldest
        while let slot = next, let entry = slots[slot] {
            entries.append((entry.key, entry.value))
            next = entry.newer
        }
        return entries
    }

    /// The value of a key, which is now the one used last.
    mutating func use(_ key: Key) -> Value? {
        guard let slot = slotOfKey[key], let entry = slots[slot] else { return nil }
        if slot != newest {
            unlink(slot)
            link(slot, key, entry.value)
        }
        return entry.value
    }

    /// Adds a key that is not there, as the one used last.
    mutating func insert(_ key: Key, _ value: Value) {
        precondition(slotOfKey[key] == nil, "a key is added once")
        let slot = freeSlots.popLast() ?? slots.endIndex
        if slot == slots.endIndex { slots.append(nil) }
        slotOfKey[key] = slot
        link(slot, key, value)
    }

    /// Takes out the entry that was used longest ago.
    mutating func removeOldest() -> Value? { oldest.flatMap { remove($0) } }

    mutating func removeAll(where shouldGo: (Key) -> Bool) -> [Value] {
        all.filter { shouldGo($0.key) }.compactMap { entry in
            slotOfKey[entry.key].flatMap { remove($0) }
        }
    }

    private mutating func remove(_ slot: Int) -> Value? {
        guard let entry = slots[slot] else { return nil }
        unlink(slot)
        slots[slot] = nil
        slotOfKey[entry.key] = nil
        freeSlots.append(slot)
        return entry.value
    }

    /// Puts an entry at the newest end.
    private mutating func link(_ slot: Int, _ key: Key, _ value: Value) {
        slots[slot] = Entry(key: key, value: value, newer: nil, older: newest)
        if let newest { slots[newest]?.newer = slot } else { oldest = slot }
        newest = slot
    }

    private mutating func unlink(_ slot: Int) {
        guard let entry = slots[slot] else { return }
        if let newer = entry.newer {
            slots[newer]?.older = entry.older
        } else {
            newest = entry.older
        }
        if let older = entry.older {
            slots[older]?.newer = entry.newer
        } else {
            oldest = entry.newer
        }
    }
}
