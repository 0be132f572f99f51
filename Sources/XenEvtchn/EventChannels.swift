public import XenCore

/// The way to a domain's event channels: makes ports, and waits for them.
///
///     let events = try EventChannels.open()
///     let channel = try events.bindUnbound(for: DomainID(3))
///     channel.port             // tell the peer
///     if let event = try events.wait(until: .after(.seconds(1))) {
///         // look at what the peer wrote, then
///         try event.unmask()   // and look once more
///     }
public struct EventChannels: Sendable {
    let backend: any EventChannelBackend

    /// Over any back end: `LibXenEventChannels`, or a mock domain's.
    public init(_ backend: any EventChannelBackend) { self.backend = backend }

    /// Makes a port that `domain` may bind to. Does not block.
    public func bindUnbound(for domain: DomainID) throws(EventChannelError) -> EventChannel {
        EventChannel(port: try backend.bindUnbound(for: domain), backend: backend)
    }

    /// Binds to a port that `domain` made for us. Does not block.
    ///
    /// The new port fires once although nobody rang. Throws `.badRemotePort` when the peer's number is wrong.
    public func bindInterdomain(
        to remotePort: EventPort, of domain: DomainID
    ) throws(EventChannelError) -> EventChannel {
        EventChannel(
            port: try backend.bindInterdomain(to: remotePort, of: domain), backend: backend)
    }

    /// Blocks until a port rings, the deadline has passed or `interrupt()` was called; nil for the latter two.
    public func wait(until deadline: Deadline) throws(EventChannelError) -> PendingEvent? {
        guard let port = try backend.nextPending(until: deadline) else { return nil }
        return PendingEvent(port: port, backend: backend)
    }

    /// Ends a wait early, from any thread.
    public func interrupt() { backend.interrupt() }
}

/// A port that has rung, and is masked until `unmask()`.
///
/// The order is: handle, unmask, look once more at what the peer writes, since it may have written in between.
public struct PendingEvent: ~Copyable, Sendable {
    /// The port of this handle that has rung.
    public let port: EventPort
    private let backend: any EventChannelBackend
    private var isMasked = true

    init(port: EventPort, backend: any EventChannelBackend) {
        self.port = port
        self.backend = backend
    }

    /// Lets the port ring again.
    public consuming func unmask() throws(EventChannelError) {
        isMasked = false
        try backend.unmask(port)
    }

    /// An event that is dropped must not leave its port deaf.
    deinit {
        if isMasked { try? backend.unmask(port) }
    }
}
