/// What a guest may use up; zero means without bound. Dom0 is bounded only by `outputByteCount`.
/// The defaults are the C daemon's.
public struct StoreQuota: Hashable, Sendable {
    /// Nodes that the guest owns.
    public var nodes = 1000
    /// Watches of the guest.
    public var watches = 128
    /// Open transactions of the guest.
    public var transactions = 10
    /// Nodes that one transaction touches.
    public var transactionNodes = 1024
    /// Requests whose replies the guest has not taken.
    public var outstanding = 20
    /// Bytes of the guest's nodes, watches and transactions together.
    public var memoryByteCount = 2_621_440
    /// The same: over this it is told in the log, and nothing is refused.
    public var softMemoryByteCount = 2_097_152
    /// Bytes of a node: its value and its children's names.
    public var nodeByteCount = 2048
    /// Entries of a node's permissions.
    public var permissions = 5
    /// Bytes of a path after `/local/domain/N/`.
    public var pathByteCount = 2048
    /// Bytes that wait for a reader on a connection: at a quarter its requests are held back, at all of it,
    /// as only events can fill it then, the connection is closed.
    public var outputByteCount = 1 << 20

    public init() {}

    /// Whether a guest that would come to `amount` is over a limit.
    package static func exceeds(_ amount: Int, _ limit: Int) -> Bool {
        limit != 0 && amount > limit
    }
}
