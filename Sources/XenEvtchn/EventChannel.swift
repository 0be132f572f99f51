public import XenCore

/// Our end of an event channel. Closed when it goes.
public struct EventChannel: ~Copyable, Sendable {
    /// The local port: what a peer needs in order to bind to it.
    public let port: EventPort
    let backend: any EventChannelBackend
    private var isOpen = true

    init(port: EventPort, backend: any EventChannelBackend) {
        self.port = port
        self.backend = backend
    }

    /// Rings the peer. Harmless when the peer is gone. Does not block.
    ///
    /// Like every call here it throws `.stale` once the domain was resumed: see `EventChannels.afterResume()`.
    public func notify() throws(EventChannelError) { try backend.notify(port) }

    /// From now on no wait returns an event of this port, until `unmask()`; what rings meanwhile is returned then.
    ///
    /// For a peer that asks for more than it is to have now. Holds also for an event that has rung and was not
    /// returned yet, and while one that was returned is being dealt with: its own `unmask` does not undo this.
    public func mask() throws(EventChannelError) { try backend.mask(port) }

    /// Ends `mask()`.
    public func unmask() throws(EventChannelError) { try backend.unmask(port) }

    /// Gives the port back. The peer is not told.
    public consuming func close() throws(EventChannelError) {
        isOpen = false
        try backend.unbind(port)
    }

    deinit {
        if isOpen { try? backend.unbind(port) }
    }
}
