extension RingConsumer {
    /// Whether there is a message, by a look alone: the event index stays as it is.
    @inlinable
    mutating func sees(on lane: some RingLane, limit: UInt32) throws(RingError) -> Bool {
        if consumed != observed { return true }
        return try look(on: lane, limit: limit)
    }

    /// Takes the next message as `next(on:limit:)`, but looks this many times in vain before it asks the
    /// peer to notify us.
    @inlinable
    package mutating func next<Lane: RingLane>(
        on lane: Lane, limit: UInt32, looking count: Int
    ) throws(RingError) -> Lane.Message? {
        var left = count
        while left > 0, try !sees(on: lane, limit: limit) {
            left &-= 1
            relax()
        }
        return try next(on: lane, limit: limit)
    }
}

// For those who spin. Nobody has to notify a peer that looks by itself, so the event index is not set: before
// sleeping, end with `next()`.
extension BackRing {
    /// Whether there are requests to take, by a look alone. False says nothing about being notified of the next.
    ///
    /// Throws `.impossibleIndex` when the peer claims more requests than the ring has room for.
    @inlinable
    public mutating func seesRequests() throws(RingError) -> Bool {
        try requests.sees(on: page.requests, limit: limit)
    }

    /// Takes the next request that is there. Nil without the final check: nobody will notify us.
    ///
    /// Throws `.impossibleIndex` when the peer claims more requests than the ring has room for.
    @inlinable
    public mutating func nextSeen() throws(RingError) -> Request? {
        guard try seesRequests() else { return nil }
        return try next()
    }
}

extension FrontRing {
    /// Whether there are responses to take, by a look alone. False says nothing about being notified of the next.
    ///
    /// Throws `.impossibleIndex` when the peer claims more responses than requests are in flight.
    @inlinable
    public mutating func seesResponses() throws(RingError) -> Bool {
        try responses.sees(on: page.responses, limit: inFlight)
    }

    /// Takes the next response that is there. Nil without the final check: nobody will notify us.
    ///
    /// Throws `.impossibleIndex` when the peer claims more responses than requests are in flight.
    @inlinable
    public mutating func nextSeen() throws(RingError) -> Response? {
        guard try seesResponses() else { return nil }
        return try next()
    }
}
