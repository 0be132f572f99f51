/// What a connection has dropped because nobody waited for it. Counted, never delivered.
public struct ClientCounters: Hashable, Sendable {
    /// Replies to requests that were cancelled, or whose deadline had passed.
    public var lateReplies = 0
    /// Replies whose id belongs to no request.
    public var unknownReplies = 0
    /// Events of watches that have ended, or never were.
    public var unknownEvents = 0
    /// Events whose payload is none.
    public var malformedEvents = 0
}
