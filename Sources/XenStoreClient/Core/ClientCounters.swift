/// What a connection has dropped because nobody waited for it. Counted, never delivered.
public struct ClientCounters: Hashable, Sendable {
    /// Replies to requests that were cancelled, or whose deadline had passed.
    public var lateReplies = 0
    /// Replies whose id belongs to no request.
    public var unknownReplies = 0
    /// Replies whose id was made in an earlier epoch.
    public var staleReplies = 0
    /// Events of watches that have ended, or never were.
    public var unknownEvents = 0
    /// Events of watches as they were set in an earlier epoch.
    public var staleEvents = 0
    /// Events whose payload is none.
    public var malformedEvents = 0
    /// Bytes that were read from a connection which had been given up meanwhile.
    public var staleByteCount = 0

    public init() {}
}
