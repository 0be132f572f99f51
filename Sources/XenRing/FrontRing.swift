public import XenCore

/// The requesting end of a ring of typed requests and responses, over memory shared with one peer.
///
/// It owns no memory, no grant and no port: whoever joins them keeps the memory mapped for as long as
/// the ring is used, and notifies the peer when the ring says so.
///
///     var ring = FrontRing<BlockRequest, BlockResponse>(initializing: memory)
///     guard ring.push(request) else { ... }                      // full: responses come first
///     if ring.publish() == .required { try channel.notify() }
///     while let response = try ring.next() { ... }               // nil: sleep until notified
///
/// Layout and notification rule are those of `struct <name>_front_ring` and its macros
/// (xen/include/public/io/ring.h). Nothing here blocks or allocates.
@frozen
public struct FrontRing<Request: RingMessage, Response: RingMessage>: ~Copyable, Sendable {
    @usableFromInline let page: RingPage<Request, Response>
    @usableFromInline var requests: RingProducer
    @usableFromInline var responses: RingConsumer
    /// The most that were in flight after a publish, which is when they are most.
    @usableFromInline var mostInFlight: UInt32 = 0

    /// Makes an empty ring: zeroes the memory and sets the ring up for both ends.
    /// The corresponding Xen operation is `XEN_FRONT_RING_INIT`.
    ///
    /// - Parameter memory: one or more pages, contiguous; room for at least one slot.
    public init(initializing memory: SharedMemory) {
        self.init(initializing: memory, at: RingIndex(0))
    }

    /// An empty ring whose indices begin at `index`.
    package init(initializing memory: SharedMemory, at index: RingIndex) {
        page = RingPage(memory)
        memory.zero()
        page.requests.publishProducer(index)
        page.requests.armEvent(index.advanced(by: 1))
        page.responses.publishProducer(index)
        page.responses.armEvent(index.advanced(by: 1))
        requests = RingProducer(at: index)
        responses = RingConsumer(at: index)
    }

    /// The slots of the ring: the most requests that can be unanswered at a time. A power of two.
    @inlinable
    public var capacity: Int { Int(page.slotCount) }

    /// The requests that `push` still takes before responses have to be taken.
    @inlinable
    public var freeSlotCount: Int {
        Int(page.slotCount &- requests.staged.distance(from: responses.consumed))
    }

    /// The published requests whose responses have not been taken yet.
    @inlinable
    public var inFlightCount: Int { Int(inFlight) }

    @inlinable
    var inFlight: UInt32 { requests.published.distance(from: responses.consumed) }

    /// Stages a request. The peer sees it after the next `publish()`.
    ///
    /// - Returns: false if the ring is full; nothing was staged then.
    @inlinable
    @inline(__always)
    public mutating func push(_ request: Request) -> Bool {
        guard freeSlotCount > 0 else { return false }
        requests.stage(request, on: page.requests)
        return true
    }

    /// Lets the peer see all staged requests, and says whether to notify it.
    /// The corresponding Xen operation is `RING_PUSH_REQUESTS_AND_CHECK_NOTIFY`.
    @inlinable
    @inline(__always)
    public mutating func publish() -> PeerNotification {
        let notification = requests.publish(on: page.requests)
        mostInFlight = max(mostInFlight, inFlight)
        return notification
    }

    /// Takes the next response. Nil means that there is none and that the peer will notify us of the
    /// next one, since nil comes only after `RING_FINAL_CHECK_FOR_RESPONSES`.
    ///
    /// Throws `.impossibleIndex` when the peer claims more responses than requests are in flight.
    @inlinable
    @inline(__always)
    public mutating func next() throws(RingError) -> Response? {
        try responses.next(on: page.responses, limit: inFlight)
    }

    /// The same for a thread that spins: looks for a response up to `count` times before it makes the final check,
    /// which costs both sides a cache line. Nil comes only after the final check, as ever.
    @inlinable
    public mutating func next(looking count: Int) throws(RingError) -> Response? {
        try responses.next(on: page.responses, limit: inFlight, looking: count)
    }

    /// Takes all responses, up to the final check: at most as many as are in flight.
    ///
    /// - Returns: how many there were.
    @inlinable
    @discardableResult
    public mutating func drain(_ body: (Response) -> Void) throws(RingError) -> Int {
        let start = responses.consumed
        while let response = try next() { body(response) }
        return Int(responses.consumed.distance(from: start))
    }

    /// Counts and drops the responses that have come, up to the final check: what is left to do with
    /// a ring whose connection is over, while the old peer may still answer.
    ///
    /// - Returns: how many were dropped.
    public mutating func discardResponses() throws(RingError) -> Int {
        Int(try responses.skip(on: page.responses, limit: inFlight))
    }
}
