import XenCore

/// What is known of each domain, found and changed without hashing: ids are small numbers.
struct DomainTable: Sendable {
    /// By id: where the record lies, -1 for none. As long as the largest id that was asked for.
    private var slots: [Int32] = []
    private var records: [DomainRecord] = []
    private var freeSlots: [Int32] = []

    /// Nil for a domain that is not known. Setting nil forgets it.
    subscript(domain: DomainID) -> DomainRecord? {
        _read {
            if let slot = slot(of: domain) { yield records[slot] } else { yield nil }
        }
        _modify {
            if let slot = slot(of: domain) {
                var record: DomainRecord? = records[slot]
                yield &record
                if let record { records[slot] = record } else { release(domain) }
            } else {
                var record: DomainRecord?
                yield &record
                if let record { insert(record, for: domain) }
            }
        }
    }

    /// Changes what is known of a domain; nothing where it is not known. Where it lies, without the copies that the
    /// subscript makes of an optional.
    mutating func update(_ domain: DomainID, _ change: (inout DomainRecord) -> Void) {
        guard let slot = slot(of: domain) else { return }
        change(&records[slot])
    }

    /// The domains that are known, lowest id first.
    var keys: [DomainID] {
        slots.indices.filter { slots[$0] >= 0 }.map { DomainID(UInt16($0)) }
    }

    private func slot(of domain: DomainID) -> Int? {
        let index = Int(domain.rawValue)
        guard index < slots.count, slots[index] >= 0 else { return nil }
        return Int(slots[index])
    }

    private mutating func insert(_ record: DomainRecord, for domain: DomainID) {
        let index = Int(domain.rawValue)
        if index >= slots.count {
            slots.append(contentsOf: repeatElement(-1, count: index + 1 - slots.count))
        }
        if let slot = freeSlots.popLast() {
            records[Int(slot)] = record
            slots[index] = slot
        } else {
            slots[index] = Int32(records.count)
            records.append(record)
        }
    }

    private mutating func release(_ domain: DomainID) {
        let index = Int(domain.rawValue)
        freeSlots.append(slots[index])
        slots[index] = -1
    }
}
