/// The producing half of a ring's end: requests for a front, responses for a back.
///
/// Its indices are private. They are written to the page and never read back.
@frozen
@usableFromInline
package struct RingProducer: Sendable {
    /// Past the last message that was staged.
    @usableFromInline package private(set) var staged: RingIndex

    /// Past the last message that the peer may see.
    @usableFromInline package private(set) var published: RingIndex

    package init(at index: RingIndex) {
        staged = index
        published = index
    }

    /// Puts a message into the next slot. The caller knows that the slot is free.
    @inlinable
    package mutating func stage<Lane: RingLane>(_ message: Lane.Message, on lane: Lane) {
        lane.store(message, at: staged)
        staged = staged.advanced(by: 1)
    }

    /// Lets the peer see all that is staged, and says whether to notify it.
    @inlinable
    package mutating func publish(on lane: some RingLane) -> PeerNotification {
        if published == staged { return .notNeeded }
        let old = published
        published = staged
        lane.publishProducer(published)
        return PeerNotification(from: old, to: published, event: lane.observeEvent())
    }
}
