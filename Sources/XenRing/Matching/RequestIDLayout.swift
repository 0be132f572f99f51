import XenCore

/// Which bits of a request's id say what: from the lowest, its slot, the slot's generation, the
/// epoch.
///
/// An id of 64 bits has 32 for the epoch, so that it is told apart for ever, and the rest, all but
/// the slot's, for the generation. Narrower ids share what the slot leaves: a quarter of the id's
/// width goes to the generation (less if that were more than half), the rest to the epoch. With 16
/// bits and 256 slots, as in netif, both have four: what is sixteen generations or epochs old is
/// not told from what is new.
@frozen
@usableFromInline
struct RequestIDLayout<ID: FixedWidthInteger & UnsignedInteger>: Sendable {
    @usableFromInline let slotBits: Int
    @usableFromInline let generationBits: Int
    @usableFromInline let epochBits: Int

    init(capacity: Int) {
        slotBits = Int.bitWidth - (capacity - 1).leadingZeroBitCount
        let spare = ID.bitWidth - slotBits
        precondition(spare >= 0, "an id of \(ID.bitWidth) bits has no room for \(capacity) slots")
        epochBits = min(32, spare - min(ID.bitWidth / 4, spare / 2))
        generationBits = min(32, spare - epochBits)
    }

    @inlinable
    func id(epoch: Epoch, generation: UInt32, slot: Int) -> ID {
        // Shifts by as many bits as there are give zero here.
        ID(truncatingIfNeeded: epoch.rawValue & mask(epochBits)) << (slotBits + generationBits)
            | ID(truncatingIfNeeded: generationField(of: generation)) << slotBits
            | ID(truncatingIfNeeded: slot)
    }

    @inlinable
    func slot(of id: ID) -> Int { Int(truncatingIfNeeded: id & ((1 << slotBits) &- 1)) }

    @inlinable
    func generation(of id: ID) -> UInt32 { field(id >> slotBits, generationBits) }

    @inlinable
    func generationField(of count: UInt32) -> UInt32 { count & mask(generationBits) }

    @inlinable
    func isOf(_ epoch: Epoch, _ id: ID) -> Bool {
        epochField(of: id) == epoch.rawValue & mask(epochBits)
    }

    /// How many epochs ago the id can have been made, at the least.
    func age(of id: ID, in epoch: Epoch) -> UInt32 {
        (epoch.rawValue &- epochField(of: id)) & mask(epochBits)
    }

    /// How many uses of its slot ago the id can have been made, at the least, after `useCount` of
    /// them.
    func useAge(of id: ID, useCount: UInt32) -> UInt32 {
        (useCount &- 1 &- generation(of: id)) & mask(generationBits)
    }

    @inlinable
    func epochField(of id: ID) -> UInt32 { field(id >> (slotBits + generationBits), epochBits) }

    @inlinable
    func field(_ shifted: ID, _ bits: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: shifted) & mask(bits)
    }

    @inlinable
    func mask(_ bits: Int) -> UInt32 { bits == 32 ? .max : (1 << UInt32(bits)) &- 1 }
}
