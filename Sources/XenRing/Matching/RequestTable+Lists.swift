/// The list of those that wait, in the order in which they were issued, and that of the free slots.
extension RequestTable {
    @inlinable
    mutating func append(_ slot: Int) {
        entries[slot].previous = newest
        entries[slot].next = -1
        if newest >= 0 { entries[Int(newest)].next = Int32(slot) } else { oldest = Int32(slot) }
        newest = Int32(slot)
    }

    @inlinable
    mutating func unlink(_ slot: Int) {
        let (previous, next) = (entries[slot].previous, entries[slot].next)
        if previous >= 0 { entries[Int(previous)].next = next } else { oldest = next }
        if next >= 0 { entries[Int(next)].previous = previous } else { newest = previous }
    }

    /// Used again first: its lines are in the cache.
    @inlinable
    mutating func free(_ slot: Int) {
        entries[slot].state = .free
        entries[slot].next = firstFree
        firstFree = Int32(slot)
    }

    /// What an id of another epoch is.
    @usableFromInline
    mutating func foreign(_ id: ID) -> RequestMatch<Request, Payload> {
        // An epoch that has not been is nobody's.
        guard layout.age(of: id, in: epoch) <= epoch.rawValue else {
            drops.unknownCount += 1
            return .unknown
        }
        drops.staleCount += 1
        return .stale
    }

    /// What an id of this epoch is that is in no slot.
    @usableFromInline
    mutating func unmatched(_ id: ID) -> RequestMatch<Request, Payload> {
        let slot = layout.slot(of: id)
        // All requests that the slot has had before were answered, or it would not be free or
        // another's.
        guard slot < entries.count,
            layout.useAge(of: id, useCount: entries[slot].useCount) < entries[slot].useCount
        else {
            drops.unknownCount += 1
            return .unknown
        }
        drops.duplicateCount += 1
        return .duplicate
    }
}
