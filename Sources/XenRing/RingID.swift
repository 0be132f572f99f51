/// A ring in a `RingScheduler`, from `add()` to `remove(_:)`.
///
/// It names one life: the scheduler refuses the id of a removed ring, also when the place is taken again.
@frozen
public struct RingID: Hashable, Sendable {
    @usableFromInline let index: UInt32
    @usableFromInline let generation: UInt32

    @inlinable
    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// Its place among the scheduler's rings, from 0: where an event loop keeps what belongs to the ring.
    /// A later ring may take the place of one that was removed.
    @inlinable
    public var place: Int { Int(index) }
}

extension RingID: CustomStringConvertible {
    public var description: String { "ring \(index).\(generation)" }
}
