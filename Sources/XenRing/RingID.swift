/// A ring in a `RingScheduler`, from `add()` to `remove(_:)`.
///
/// It names one life: the scheduler refuses the id of a removed ring, also when the place is taken again.
@frozen
public struct RingID: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32
}

extension RingID: CustomStringConvertible {
    public var description: String { "ring \(index).\(generation)" }
}
