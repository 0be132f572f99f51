/// What a guest may use up. Dom0 is bounded only by `outputByteCount`. The defaults are the C daemon's.
public struct StoreQuota: Hashable, Sendable {
    /// Nodes that the guest owns.
    public var nodes = 1000
    /// Watches on a connection.
    public var watches = 128
    /// Open transactions on a connection.
    public var transactions = 10
    /// Nodes that one transaction touches.
    public var transactionNodes = 1024
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
}
