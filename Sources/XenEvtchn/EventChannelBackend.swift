public import XenCore

/// The boundary to the hypervisor's event channels: one open handle of one process in one domain.
///
/// Conformers are real Xen (`LibXenEventChannels`) and the mock. They trade in raw ports;
/// `EventChannels` makes owners of them. Calls may be made from any thread; one thread waits at a time.
public protocol EventChannelBackend: AnyObject, Sendable {
    /// Makes a port that `domain` may bind to (`EVTCHNOP_alloc_unbound`).
    func bindUnbound(for domain: DomainID) throws(EventChannelError) -> EventPort

    /// Binds to a port that `domain` made for us (`EVTCHNOP_bind_interdomain`). Fires once spuriously.
    func bindInterdomain(
        to remotePort: EventPort, of domain: DomainID
    ) throws(EventChannelError) -> EventPort

    /// Gives a port of this handle back (`EVTCHNOP_close`). The peer's end becomes unbound, silently.
    func unbind(_ port: EventPort) throws(EventChannelError)

    /// Rings the peer (`EVTCHNOP_send`). Harmless when nobody is bound there.
    func notify(_ port: EventPort) throws(EventChannelError)

    /// Lets the port deliver again. What rang meanwhile is delivered then.
    ///
    /// A port that is not this handle's is ignored: it may have been closed since it rang.
    func unmask(_ port: EventPort) throws(EventChannelError)

    /// The next port of this handle that has rung, masked as it is returned.
    ///
    /// Blocks until one has, the deadline has passed or `interrupt()` was called; returns nil for the latter two.
    func nextPending(until deadline: Deadline) throws(EventChannelError) -> EventPort?

    /// Ends the wait that is under way or, if none is, the next one. Callable from any thread.
    func interrupt()
}
