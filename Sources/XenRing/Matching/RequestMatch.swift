/// A request that was issued, as `RequestTable` kept it.
@frozen
public struct IssuedRequest<Request, Payload> {
    /// The slot that it had; below the table's capacity.
    public let slot: Int
    /// Our own copy of what went into the ring.
    public let request: Request
    /// What the caller gave with it.
    public let payload: Payload

    @inlinable
    init(slot: Int, request: Request, payload: Payload) {
        self.slot = slot
        self.request = request
        self.payload = payload
    }
}

extension IssuedRequest: Sendable where Request: Sendable, Payload: Sendable {}

/// What a response turned out to be.
@frozen
public enum RequestMatch<Request, Payload> {
    /// It answers this request, whose slot is free again.
    case answered(IssuedRequest<Request, Payload>)
    /// It answers a request for which nobody waits any more. The slot is free again: the peer has
    /// let go of its pages.
    case abandoned(slot: Int, Request)
    /// It answers a request that was answered before. No honest peer does this.
    case duplicate
    /// Nobody made a request of this id. No honest peer does this.
    case unknown
    /// It carries the id of an older epoch.
    case stale
}

extension RequestMatch: Sendable where Request: Sendable, Payload: Sendable {}

/// Responses that answered nothing that anybody waits for.
@frozen
public struct DroppedResponses: Hashable, Sendable {
    /// To requests that were abandoned.
    public var abandonedCount: UInt64
    /// To requests that were answered before.
    public var duplicateCount: UInt64
    /// With ids that nobody made.
    public var unknownCount: UInt64
    /// With ids of older epochs.
    public var staleCount: UInt64

    @inlinable
    public init(
        abandonedCount: UInt64 = 0, duplicateCount: UInt64 = 0, unknownCount: UInt64 = 0,
        staleCount: UInt64 = 0
    ) {
        self.abandonedCount = abandonedCount
        self.duplicateCount = duplicateCount
        self.unknownCount = unknownCount
        self.staleCount = staleCount
    }
}
