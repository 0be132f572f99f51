internal import CSystem

/// The consuming half of a ring's end: responses for a front, requests for a back.
@frozen
@usableFromInline
package struct RingConsumer: Sendable {
    /// Past the last message that was taken. Private: only `armEvent` tells the peer of it.
    @usableFromInline package private(set) var consumed: RingIndex

    /// The peer's producer index when it was last looked at and believed.
    @usableFromInline package private(set) var observed: RingIndex

    /// The event index in the page, since `armEvent`; at first one that cannot be asked for.
    @usableFromInline package private(set) var armed: RingIndex

    /// Once the peer has broken the ring: what is thrown from then on.
    @usableFromInline package private(set) var fault: RingError?

    /// The times that `next` found nothing and asked the peer to notify us.
    @usableFromInline package private(set) var finalCheckCount: UInt64 = 0

    package init(at index: RingIndex) {
        consumed = index
        observed = index
        armed = index
    }

    /// Takes the next message, or makes sure that the peer will notify us of it.
    ///
    /// Nil comes only after the final check: the event index is set, and a last look found nothing.
    ///
    /// - Parameter limit: the most that an honest peer can have produced beyond `consumed`.
    @inlinable
    @inline(__always)
    package mutating func next<Lane: RingLane>(
        on lane: Lane, limit: UInt32
    ) throws(RingError) -> Lane.Message? {
        guard try isReady(on: lane, limit: limit) else { return nil }
        let message = lane.load(at: consumed)
        consumed = consumed.advanced(by: 1)
        return message
    }

    /// Passes over all that is there without looking at it, up to the final check.
    package mutating func skip(
        on lane: some RingLane, limit: UInt32
    ) throws(RingError) -> UInt32 {
        let start = consumed
        while try isReady(on: lane, limit: limit &- consumed.distance(from: start)) {
            consumed = observed
        }
        return consumed.distance(from: start)
    }

    @inlinable
    @inline(__always)
    mutating func isReady(on lane: some RingLane, limit: UInt32) throws(RingError) -> Bool {
        if consumed != observed { return true }
        if try look(on: lane, limit: limit) { return true }
        // Asked for already, and nothing has come since: whatever comes next brings a notification.
        let event = consumed.advanced(by: 1)
        if armed == event { return false }
        armed = event
        finalCheckCount &+= 1
        lane.armEvent(event)
        return try look(on: lane, limit: limit)
    }

    @inlinable
    @inline(__always)
    mutating func look(on lane: some RingLane, limit: UInt32) throws(RingError) -> Bool {
        if let fault { throw fault }
        let producer = lane.observeProducer()
        do {
            let count = try RingIndex.offered(
                from: consumed, to: producer, limit: limit, lane.direction)
            if count == 0 { return false }
            observed = producer
            return true
        } catch {
            fault = error
            throw error
        }
    }
}

/// Between two looks in vain. Without it the processor reads far ahead, and has to throw that away when the line
/// changes: a third of a round trip.
@usableFromInline
func relax() { csystem_pause() }
