public import XenCore

/// The requests of a front that are unanswered, each with a private copy and the caller's payload,
/// so that each response finds its request exactly once.
///
/// It stands beside a `FrontRing` and has as many slots. It makes the id that the protocol leaves
/// to the front and that the response repeats (`id` in xen/include/public/io/blkif.h and netif.h),
/// and knows what to make of any id that the peer sends: nothing that comes back is believed but
/// for the id, and no id traps.
///
///     var table = RequestTable<Request, Caller, UInt64>(capacity: ring.capacity, epoch: epoch)
///     if let request = table.issue(caller, { id, slot in ... }) { _ = ring.push(request) }
///     while let response = try ring.next() {
///         switch table.match(response.id) {
///         case .answered(let request): request.payload.resume(response.status)
///         case .abandoned, .stale: break
///         case .duplicate, .unknown: ...      // no honest peer does this
///         }
///     }
///     for request in table.begin(epoch.next) { ... }      // oldest first: issue these again
///
/// A value, without clock or shared memory. It never blocks, and allocates after `init` only what
/// it returns as arrays. Issuing, matching and abandoning by id cost the same however much is in
/// flight.
@frozen
public struct RequestTable<
    Request: RingMessage, Payload, ID: FixedWidthInteger & UnsignedInteger
>: ~Copyable {
    @usableFromInline var entries: [RequestEntry<Request, Payload>]
    @usableFromInline let layout: RequestIDLayout<ID>
    @usableFromInline var firstFree: Int32
    /// The ends of the list of requests that wait, oldest first.
    @usableFromInline var (oldest, newest) = (Int32(-1), Int32(-1))

    @usableFromInline var (waiting, abandoned) = (0, 0)
    @usableFromInline var mostTaken = 0
    @usableFromInline var drops = DroppedResponses()

    /// The epoch whose requests these are.
    public internal(set) var epoch: Epoch

    /// - Parameters:
    ///   - capacity: the most requests in flight: the ring's slots, or fewer. At most 65,536, and
    ///     an `ID` has to have room for it.
    ///   - epoch: that of the ring.
    public init(capacity: Int, epoch: Epoch) {
        precondition((1...65_536).contains(capacity), "1 to 65,536 requests in flight")
        layout = RequestIDLayout(capacity: capacity)
        entries = (0..<capacity).map { slot in
            RequestEntry(next: slot + 1 < capacity ? Int32(slot + 1) : -1)
        }
        firstFree = 0
        self.epoch = epoch
    }

    /// The most requests in flight.
    @inlinable public var capacity: Int { entries.count }

    /// The requests that `issue` still takes.
    @inlinable public var freeCount: Int { entries.count - waiting - abandoned }

    /// The requests that wait for their responses.
    @inlinable public var waitingCount: Int { waiting }

    /// The abandoned requests whose responses have not come: their slots are still taken.
    @inlinable public var abandonedCount: Int { abandoned }

    /// The most requests, abandoned ones included, that were unanswered at once.
    @inlinable public var highWaterMark: Int { mostTaken }

    /// The responses that were nobody's, since `init`.
    @inlinable public var dropped: DroppedResponses { drops }

    /// Takes a slot for a request, and keeps a copy of it until its response comes.
    ///
    /// - Parameters:
    ///   - payload: what `match` gives back with the response.
    ///   - makeRequest: makes the request from its id and its slot, which is below `capacity` and
    ///     its alone until the response has come, so that it can stand for the request's pages.
    /// - Returns: the request, for the ring; nil if `capacity` requests are in flight.
    @inlinable
    public mutating func issue<E>(
        _ payload: consuming Payload, _ makeRequest: (_ id: ID, _ slot: Int) throws(E) -> Request
    ) throws(E) -> Request? {
        guard firstFree >= 0 else { return nil }
        let slot = Int(firstFree)
        let request = try makeRequest(
            layout.id(epoch: epoch, generation: entries[slot].useCount, slot: slot), slot)
        firstFree = entries[slot].next
        entries[slot].useCount &+= 1
        entries[slot].state = .waiting(request, payload)
        append(slot)
        waiting += 1
        mostTaken = max(mostTaken, waiting + abandoned)
        return request
    }

    /// What a response with this id answers. Each request is given back once at most; every other
    /// id has its own result, and is counted in `dropped`.
    @inlinable
    public mutating func match(_ id: ID) -> RequestMatch<Request, Payload> {
        guard layout.isOf(epoch, id) else { return foreign(id) }
        guard let slot = slot(lastUsedBy: id) else { return unmatched(id) }
        switch entries[slot].state {
        case .waiting(let request, let payload):
            unlink(slot)
            waiting -= 1
            free(slot)
            return .answered(IssuedRequest(slot: slot, request: request, payload: payload))
        case .abandoned(let request):
            abandoned -= 1
            free(slot)
            drops.abandonedCount += 1
            return .abandoned(slot: slot, request)
        case .free:
            return unmatched(id)
        }
    }

    /// The slot that an id of this epoch names; nil if that is none, or another request's by now.
    @inlinable
    func slot(lastUsedBy id: ID) -> Int? {
        let slot = layout.slot(of: id)
        guard slot < entries.count else { return nil }
        let last = layout.generationField(of: entries[slot].useCount &- 1)
        return layout.generation(of: id) == last ? slot : nil
    }
}

extension RequestTable: Sendable where Request: Sendable, Payload: Sendable {}
