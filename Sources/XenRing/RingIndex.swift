/// A free-running 32-bit index into a ring, as it stands in the shared page.
///
/// It counts messages (or bytes) since the ring began and wraps around at 2^32, so its only
/// arithmetic is wrapping addition, wrapping subtraction and masking. It has no order.
/// The corresponding Xen type is `RING_IDX` (xen/include/public/io/ring.h).
@frozen
public struct RingIndex: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public init(_ rawValue: UInt32) { self.rawValue = rawValue }

    /// The index `count` places further on.
    @inlinable
    public func advanced(by count: UInt32) -> RingIndex { RingIndex(rawValue &+ count) }

    /// How far this index is ahead of another of the same ring.
    @inlinable
    public func distance(from earlier: RingIndex) -> UInt32 { rawValue &- earlier.rawValue }

    /// The place in a ring of `mask` + 1 places, which is a power of two.
    @inlinable
    public func position(mask: UInt32) -> Int { Int(rawValue & mask) }

    /// What a producer index offers beyond a consumer index, one of them the peer's.
    ///
    /// The one place where a peer's index is believed or not. Throws `.impossibleIndex` when there would be
    /// more than `limit`, which is also how an index that went backwards looks.
    @inlinable
    static func offered(
        from consumer: RingIndex, to producer: RingIndex, limit: UInt32,
        _ direction: RingDirection, peer: RingRole = .producer
    ) throws(RingError) -> UInt32 {
        let count = producer.distance(from: consumer)
        guard count <= limit else {
            throw RingError(
                direction, peer: peer, producer: producer, consumer: consumer, limit: limit)
        }
        return count
    }
}

extension RingIndex: CustomStringConvertible {
    public var description: String { "index \(rawValue)" }
}
