public import XenCore

/// Our end of an event channel. Closed when it goes.
public struct EventChannel: ~Copyable, Sendable {
    /// The local port: what a peer needs in order to bind to it.
    public let port: EventPort
    private let backend: any EventChannelBackend
    private var isOpen = true

    init(port: EventPort, backend: any EventChannelBackend) {
        self.port = port
        self.backend = backend
    }

    /// Rings the peer. Harmless when the peer is gone. Does not block.
    public func notify() throws(EventChannelError) { try backend.notify(port) }

    /// Gives the port back. The peer is not told.
    public consuming func close() throws(EventChannelError) {
        isOpen = false
        try backend.unbind(port)
    }

    deinit {
        if isOpen { try? backend.unbind(port) }
    }
}
