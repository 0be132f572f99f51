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

    /// What was published, and how often; counted a publish at a time, not a message at a time.
    @usableFromInline package private(set) var messageCount: UInt64 = 0
    @usableFromInline package private(set) var publishCount: UInt64 = 0
    @usableFromInline package private(set) var notificationCount: UInt64 = 0

    package init(at index: RingIndex) {
        staged = index
        published = index
    }

    /// Puts a message into the next slot. The caller knows that the slot is free.
    @inlinable
    @inline(__always)
    package mutating func stage<Lane: RingLane>(_ message: Lane.Message, on lane: Lane) {
        lane.store(message, at: staged)
        staged = staged.advanced(by: 1)
    }

    /// Lets the peer see all that is staged, and says whether to notify it.
    @inlinable
    @inline(__always)
    package mutating func publish(on lane: some RingLane) -> PeerNotification {
        if published == staged { return .notNeeded }
        let old = published
        published = staged
        lane.publishProducer(published)
        let notification = PeerNotification(
            from: old, to: published, event: lane.observeEvent())
        messageCount &+= UInt64(published.distance(from: old))
        publishCount &+= 1
        notificationCount &+= notification == .required ? 1 : 0
        return notification
    }
}
