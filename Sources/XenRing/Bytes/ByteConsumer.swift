/// The reading half of a byte ring. Its own index is private: written to the page, never read back.
@frozen
@usableFromInline
package struct ByteConsumer: Sendable {
    /// Past the last byte that was copied out of the ring.
    @usableFromInline package private(set) var taken: RingIndex

    /// Past the last byte whose room the writer may use again.
    @usableFromInline package private(set) var released: RingIndex

    /// The writer's index when it was last looked at and believed. No older than our last `release`.
    @usableFromInline package private(set) var observed: RingIndex

    /// What the caller has not been told yet.
    @usableFromInline package private(set) var owed = PeerNotification.notNeeded

    /// Once the peer has broken the ring: what is thrown from then on.
    @usableFromInline package private(set) var fault: RingError?

    package init(at index: RingIndex) {
        taken = index
        released = index
        observed = index
    }

    /// The bytes that can be taken; looks at the page if fewer than `count` are known of.
    ///
    /// Fewer only after the final check: the room of all that was taken is given back, and a last look found
    /// no more, so the writer will notify us of the next byte.
    @inlinable
    package mutating func available(
        atLeast count: Int = 1, on lane: some ByteLane
    ) throws(RingError) -> Int {
        if let fault { throw fault }
        if waiting < count { try look(on: lane) }
        if waiting < count { try expose(on: lane) }
        return waiting
    }

    /// Copies the next bytes out until `buffer` is full or there are no more. Fewer than fit only after the
    /// final check.
    @inlinable
    package mutating func take(
        into buffer: UnsafeMutableRawBufferPointer, on lane: some ByteLane
    ) throws(RingError) -> Int {
        if let fault { throw fault }
        var count = 0
        while count < buffer.count {
            if try available(on: lane) == 0 { break }
            let end = count + min(waiting, buffer.count - count)
            // Safe: the range lies within `buffer`.
            unsafe lane.load(
                to: UnsafeMutableRawBufferPointer(rebasing: buffer[count..<end]), at: taken)
            taken = taken.advanced(by: UInt32(end - count))
            count = end
        }
        return count
    }

    /// Gives the room of all that was taken back, and says whether to notify the writer of that, or of what
    /// was given back before a final check since the last call.
    @inlinable
    package mutating func commit(on lane: some ByteLane) throws(RingError) -> PeerNotification {
        if let fault { throw fault }
        try expose(on: lane)
        let notification = owed
        owed = .notNeeded
        return notification
    }

    /// With what the writer has ended the direction; nil while it goes on or there are bytes left to take.
    package mutating func ending(on lane: some ByteLane) throws(RingError) -> Int32? {
        // The error first: the look at the index that comes after it then sees every byte.
        let error = lane.observeError()
        return try available(on: lane) == 0 && error != 0 ? error : nil
    }

    /// Ends the direction: nothing more will be read. The writer is always notified of it.
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
    var waiting: Int { Int(observed.distance(from: taken)) }

    @inlinable
    mutating func expose(on lane: some ByteLane) throws(RingError) {
        if taken == released { return }
        let old = released
        released = taken
        lane.publishConsumer(released)
        try look(on: lane)
        // A writer that uses what room there is sleeps only beside a ring that was full, if it did not see
        // this room.
        let wasFull = observed.distance(from: old) == lane.capacity
        if lane.peerWaits == .forEnough || wasFull { owed = .required }
    }

    @inlinable
    mutating func look(on lane: some ByteLane) throws(RingError) {
        let producer = lane.observeProducer()
        let unreleased = observed.distance(from: released)
        do {
            // It moves between where it was and a full ring: never back.
            _ = try RingIndex.offered(
                from: observed, to: producer, limit: lane.capacity &- unreleased, lane.direction)
            observed = producer
        } catch {
            fault = error
            throw error
        }
    }
}
