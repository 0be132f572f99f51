public import XenCore
public import XenStoreWire

/// Opens connections to one server, again and again: what a client reconnects with.
public protocol StoreConnector: Sendable {
    /// Opens a new connection. May block until the deadline, not longer.
    ///
    /// Throws `.unavailable` when the server cannot be reached now; the client tries again later.
    func connect(until deadline: Deadline) throws(StoreError) -> any ByteTransport
}
