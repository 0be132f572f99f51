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

    /// Makes a port that a virtual interrupt rings. Does not block.
    ///
    /// Linux binds those with the scope `.processor` on the first virtual processor. Throws `.alreadyBound` when the
    /// interrupt has a port in this domain, the kernel's own included; `.handledElsewhere` for a global one that
    /// another domain handles (a Xen before 4.21 binds it, and it never rings); `.notPermitted` on a restricted
    /// handle; `.refused` for a number that names none.
    public func bindVirtualInterrupt(
        _ interrupt: VirtualInterrupt
    ) throws(EventChannelError) -> EventChannel {
        EventChannel(port: try backend.bindVirtualInterrupt(interrupt), backend: backend)
    }

    /// Makes an owner of a port that is bound to this handle already, and has none: after
    /// `LibXenEventChannels(adopting:ports:)`.
    public func adopt(_ port: EventPort) -> EventChannel {
        EventChannel(port: port, backend: backend)
    }

    /// From now on this handle makes ports for `domain` alone, for good. See `EventChannelBackend.restrict(to:)`.
    public func restrict(to domain: DomainID) throws(EventChannelError) {
        try backend.restrict(to: domain)
    }

    /// For someone else's poll or epoll loop: readable while an event waits.
    ///
    /// Level-triggered. The loop that never blocks and loses nothing:
    ///
    ///     // epoll says that `descriptor` is readable:
    ///     while let event = try events.wait(until: .now) {
    ///         // look at what the peer of event.port wrote, then
    ///         try event.unmask()  // and look once more
    ///     }
    ///
    /// A wait that returns nil although the descriptor was readable is no fault: the port was closed or masked
    /// since. To be fair to other descriptors a loop may stop after a few events: what is left keeps the descriptor
    /// readable. It stays open for as long as the back end is there, and belongs to it: do not close, read or write
    /// it, nor register it edge-triggered.
    public var descriptor: Int32 {
        get throws(EventChannelError) { try backend.descriptor }
    }

    /// The handle for the time after the domain was suspended and resumed, restored or migrated.
    ///
    /// To be called by whoever notices that: nothing tells a program by itself. (In the store the domain's own
    /// nodes are new then, a watch on `/local/domain` fires, and transactions that were open end with EAGAIN.)
    /// From now on every port of this handle throws `.stale` from `notify`, `unmask` and `close`, waits on it
    /// throw `.stale`, and its late events are dropped and counted. Nothing of it can touch a port of the new
    /// handle, whatever its number. Calling it again, from anywhere, returns the same handle.
    ///
    /// What Linux does at a resume, and why there has to be a new handle (`xen_irq_resume` in
    /// drivers/xen/events/events_base.c, drivers/xen/evtchn.c): the hypervisor's ports are gone, and the kernel
    /// binds anew only its own interrupts, which may get the old numbers. An open /dev/xen/evtchn learns nothing.
    /// It still lists its old ports: a notification through one succeeds, and rings whoever has the number now;
    /// a bind that gets such a number fails with EEXIST; closing such a port, or the descriptor itself, stops the
    /// kernel in `BUG_ON`, or closes the port that has the number now. So does the end of the process, which then
    /// hangs. Therefore this makes the kernel forget the old ports, for which it blocks up to a fifth of a second.
    /// It fails to when other programs have all their numbers already, or the handle is restricted: then the old
    /// descriptor is never closed by us, and the process had better not end; a program that can foresee the
    /// suspension does best to close its ports before. Ports that were made between the resume and this call go with
    /// the old ones.
    public func afterResume() throws(EventChannelError) -> EventChannels {
        EventChannels(try backend.successorAfterResume())
    }

    /// Which life of the domain this handle belongs to: 1 for the first, and one more for each `afterResume()`.
    public var epoch: Epoch { backend.epoch }

    /// Events of earlier epochs that were dropped.
    public var staleEventCount: Int { backend.staleEventCount }

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

    /// Lets the port ring again, unless its channel was masked: then its `unmask()` does.
    public consuming func unmask() throws(EventChannelError) {
        isMasked = false
        try backend.rearm(port)
    }

    /// An event that is dropped must not leave its port deaf.
    deinit {
        if isMasked { try? backend.rearm(port) }
    }
}
