public import XenCore

/// What a connection of a `StoreServer` has at a moment.
public struct StoreServerConnection: Hashable, Sendable {
    /// For whom it speaks.
    public var domain: DomainID
    /// Whether it is a guest's ring, rather than a socket.
    public var isRing: Bool
    /// Bytes that wait for its reader.
    public var queuedByteCount: Int
    /// Requests whose replies may not have been taken.
    public var outstandingCount: Int
    public var watchCount: Int
    public var transactionCount: Int
    /// Bytes of all that the server keeps for it: buffers, watches, transactions.
    public var memoryByteCount: Int
    /// Whether its requests wait, until it takes replies or its domain may go on.
    public var isHeldBack: Bool
}
