public import XenCore

/// The serving end of a ring of typed requests and responses, over memory that one peer shares with us.
///
/// It owns no memory, no grant and no port: whoever joins them keeps the memory mapped for as long as
/// the ring is used, and notifies the peer when the ring says so. Responses may be pushed in any order,
/// at any time after their requests were taken.
///
///     var ring = BackRing<BlockRequest, BlockResponse>(attachingTo: memory)
///     while let request = try ring.next() { ring.push(serve(request)) }   // nil: sleep until notified
///     if ring.publish() == .required { try channel.notify() }
///
/// Layout and notification rule are those of `struct <name>_back_ring` and its macros
/// (xen/include/public/io/ring.h). Nothing here blocks or allocates.
@frozen
public struct BackRing<Request: RingMessage, Response: RingMessage>: ~Copyable, Sendable {
    @usableFromInline let page: RingPage<Request, Response>
    @usableFromInline var requests: RingConsumer
    @usableFromInline var responses: RingProducer
    /// The most requests whose responses had not been published before a publish, which is when they are most.
    @usableFromInline var mostInFlight: UInt32 = 0

    /// Begins at the beginning of a ring that its front has just made.
    /// The corresponding Xen operation is `BACK_RING_INIT`.
    ///
    /// - Parameter memory: one or more pages, contiguous; room for at least one slot.
    public init(attachingTo memory: SharedMemory) {
        self.init(attachingTo: memory, at: RingIndex(0))
    }

    /// Takes over a ring that another back served: begins after the last response that stands in it,
    /// so that requests which that back took and did not answer are taken again.
    /// The corresponding Xen operation is `BACK_RING_ATTACH`.
    ///
    /// Throws `.impossibleIndex` when the indices in the page cannot be those of a ring of this size.
    public init(takingOver memory: SharedMemory) throws(RingError) {
        let page = RingPage<Request, Response>(memory)
        let index = page.responses.observeProducer()
        _ = try RingIndex.offered(
            from: index, to: page.requests.observeProducer(), limit: page.slotCount, .request)
        self.init(attachingTo: memory, at: index)
    }

    /// Begins at `index`, whatever the page says.
    package init(attachingTo memory: SharedMemory, at index: RingIndex) {
        page = RingPage(memory)
        requests = RingConsumer(at: index)
        responses = RingProducer(at: index)
    }

    /// The slots of the ring: the most requests that can be unanswered at a time. A power of two.
    @inlinable
    public var capacity: Int { Int(page.slotCount) }

    /// The requests that were taken and for which no response was pushed yet.
    @inlinable
    public var unansweredCount: Int {
        Int(requests.consumed.distance(from: responses.staged))
    }

    /// The requests that were taken and whose responses the peer may not see yet.
    @inlinable
    var inFlight: UInt32 { requests.consumed.distance(from: responses.published) }

    /// What an honest front can have requested beyond what was taken: it reuses a slot only
    /// after it saw the response, so published responses count, staged ones do not.
    @inlinable
    var limit: UInt32 { page.slotCount &- inFlight }

    /// Takes the next request. Nil means that there is none and that the peer will notify us of the
    /// next one, since nil comes only after `RING_FINAL_CHECK_FOR_REQUESTS`.
    ///
    /// Throws `.impossibleIndex` when the peer claims more requests than the ring has room for.
    @inlinable
    @inline(__always)
    public mutating func next() throws(RingError) -> Request? {
        try requests.next(on: page.requests, limit: limit)
    }

    /// The same for a thread that spins: looks for a request up to `count` times before it makes the final check,
    /// which costs both sides a cache line. Nil comes only after the final check, as ever.
    @inlinable
    public mutating func next(looking count: Int) throws(RingError) -> Request? {
        try requests.next(on: page.requests, limit: limit, looking: count)
    }

    /// Takes all requests, up to the final check: at most as many as the ring has slots.
    ///
    /// - Returns: how many there were.
    @inlinable
    @discardableResult
    public mutating func drain(_ body: (Request) -> Void) throws(RingError) -> Int {
        let start = requests.consumed
        while let request = try next() { body(request) }
        return Int(requests.consumed.distance(from: start))
    }

    /// Stages a response. The peer sees it after the next `publish()`.
    ///
    /// Responding more often than requests were taken is the caller's bug and traps.
    @inlinable
    @inline(__always)
    public mutating func push(_ response: Response) {
        precondition(requests.consumed != responses.staged, "a response without a request")
        responses.stage(response, on: page.responses)
    }

    /// Lets the peer see all staged responses, and says whether to notify it.
    /// The corresponding Xen operation is `RING_PUSH_RESPONSES_AND_CHECK_NOTIFY`.
    @inlinable
    @inline(__always)
    public mutating func publish() -> PeerNotification {
        mostInFlight = max(mostInFlight, inFlight)
        return responses.publish(on: page.responses)
    }

    /// Answers all requests at once, up to the final check, publishes, and says whether to notify the peer.
    /// At most as many as the ring has slots, however fast the peer goes on.
    @inlinable
    public mutating func serve(
        _ body: (Request) -> Response
    ) throws(RingError) -> PeerNotification {
        while let request = try next() { push(body(request)) }
        return publish()
    }
}
