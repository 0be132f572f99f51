/// The writing half of a byte ring. Its own index is private: written to the page, never read back.
@frozen
@usableFromInline
package struct ByteProducer: Sendable {
    /// Past the last byte that was copied into the ring.
    @usableFromInline package private(set) var staged: RingIndex

    /// Past the last byte that the reader may see.
    @usableFromInline package private(set) var published: RingIndex

    /// The reader's index when it was last looked at and believed. No older than our last `publish`.
    @usableFromInline package private(set) var observed: RingIndex

    /// What the caller has not been told yet.
    @usableFromInline package private(set) var owed = PeerNotification.notNeeded

    /// Once the peer has broken the ring: what is thrown from then on.
    @usableFromInline package private(set) var fault: RingError?

    /// - Parameter capacity: the ring's. The first use looks how much of it is free.
    package init(at index: RingIndex, capacity: UInt32) {
        staged = index
        published = index
        observed = index.advanced(by: 0 &- capacity)
    }

    /// Copies into the ring what fits, from the first byte on.
    ///
    /// Fewer than all only after the final check: all that is staged is published, and a last look found no
    /// room, so the reader will notify us of the next.
    @inlinable
    package mutating func stage(
        _ bytes: UnsafeRawBufferPointer, on lane: some ByteLane
    ) throws(RingError) -> Int {
        if let fault { throw fault }
        var count = 0
        while count < bytes.count {
            if free(on: lane) < bytes.count - count { try look(on: lane) }
            if free(on: lane) == 0 { try expose(on: lane) }
            if free(on: lane) == 0 { break }
            let end = count + min(free(on: lane), bytes.count - count)
            // Safe: the range lies within `bytes`, and the room for it was just found.
            unsafe lane.store(UnsafeRawBufferPointer(rebasing: bytes[count..<end]), at: staged)
            staged = staged.advanced(by: UInt32(end - count))
            count = end
        }
        return count
    }

    /// The room there is; looks at the page if less than `count` is known of. Less only after the final check.
    @inlinable
    package mutating func room(
        atLeast count: Int, on lane: some ByteLane
    ) throws(RingError) -> Int {
        if let fault { throw fault }
        if free(on: lane) < count { try look(on: lane) }
        if free(on: lane) < count { try expose(on: lane) }
        return free(on: lane)
    }

    /// Lets the reader see all that is staged, and says whether to notify it of that, or of what was
    /// published for want of room since the last call.
    @inlinable
    package mutating func publish(on lane: some ByteLane) throws(RingError) -> PeerNotification {
        if let fault { throw fault }
        try expose(on: lane)
        let notification = owed
        owed = .notNeeded
        return notification
    }

    /// Ends the direction after everything that is staged. The reader is always notified of it.
    package mutating func end(
        with error: Int32, on lane: some ByteLane
    ) throws(RingError) -> PeerNotification {
        if let fault { throw fault }
        try expose(on: lane)
        owed = .notNeeded
        lane.publishError(error)
        return .required
    }

    @inlinable
    func free(on lane: some ByteLane) -> Int {
        Int(lane.capacity &- staged.distance(from: observed))
    }

    @inlinable
    mutating func expose(on lane: some ByteLane) throws(RingError) {
        if staged == published { return }
        let old = published
        published = staged
        lane.publishProducer(published)
        try look(on: lane)
        // A reader that takes what there is sleeps only where it has read all that it saw: at `old`, if it did
        // not see these bytes.
        if lane.peerWaits == .forEnough || observed == old { owed = .required }
    }

    @inlinable
    mutating func look(on lane: some ByteLane) throws(RingError) {
        let consumer = lane.observeConsumer()
        let unread = published.distance(from: observed)
        do {
            // It moves between where it was and what is published: never back.
            _ = try RingIndex.offered(
                from: consumer, to: published, limit: unread, lane.direction, peer: .consumer)
            observed = consumer
        } catch {
            fault = error
            throw error
        }
    }
}
