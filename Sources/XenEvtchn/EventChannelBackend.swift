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

    /// Makes a port that a virtual interrupt rings (`EVTCHNOP_bind_virq`), on the first virtual processor.
    func bindVirtualInterrupt(_ interrupt: VirtualInterrupt) throws(EventChannelError) -> EventPort

    /// Gives a port of this handle back (`EVTCHNOP_close`). The peer's end becomes unbound, silently.
    ///
    /// An event of it that nobody has seen yet goes with it: it is not taken for one of the port that gets the
    /// same number next.
    func unbind(_ port: EventPort) throws(EventChannelError)

    /// Rings the peer (`EVTCHNOP_send`). Harmless when nobody is bound there.
    func notify(_ port: EventPort) throws(EventChannelError)

    /// From now on no event of this port is returned, until `unmask`; what rings meanwhile is returned then.
    ///
    /// Holds at once, in every thread, also for an event that has rung but was not returned yet. A port that is
    /// not this handle's is ignored. Linux's device has no such call: a back end keeps what rings to itself.
    func mask(_ port: EventPort) throws(EventChannelError)

    /// Lets the port deliver again, whether it was masked by `mask` or by the return of its event.
    /// What rang meanwhile is delivered then.
    ///
    /// A port that is not this handle's is ignored: it may have been closed since it rang.
    func unmask(_ port: EventPort) throws(EventChannelError)

    /// Lets the port deliver again after its event was dealt with, unless `mask` holds: that needs `unmask`.
    ///
    /// A port that is not this handle's is ignored: it may have been closed since it rang.
    func rearm(_ port: EventPort) throws(EventChannelError)

    /// The next port of this handle that has rung, masked as it is returned.
    ///
    /// Blocks until one has, the deadline has passed or `interrupt()` was called; returns nil for the latter two.
    /// Does not allocate.
    func nextPending(until deadline: Deadline) throws(EventChannelError) -> EventPort?

    /// Ends the wait that is under way or, if none is, the next one. Callable from any thread.
    func interrupt()

    /// From now on this handle makes ports for `domain` alone, for good: there is no way back
    /// (`xenevtchn_restrict`, for a process that then gives up its privileges).
    ///
    /// What stays possible: binding to ports of `domain`, and everything with the ports that are bound already,
    /// whoever their peer is. What is refused as `.notPermitted`: binding to another domain's ports, making unbound
    /// ports, even for `domain`, binding virtual interrupts, and restricting once more, even to the same domain.
    /// Throws `.refused` for dom0 and for numbers that no domain can have. (`evtchn_ioctl` in Linux's
    /// drivers/xen/evtchn.c.)
    func restrict(to domain: DomainID) throws(EventChannelError)

    /// Readable while `nextPending` would return a port or throw. For someone else's poll or epoll, level-triggered.
    ///
    /// The back end keeps it; it is open for as long as the back end is there. Not to be read or written.
    /// An interruption does not make it readable.
    var descriptor: Int32 { get throws(EventChannelError) }

    /// Which life of the domain this handle belongs to: 1 for the first, and one more for each successor.
    var epoch: Epoch { get }

    /// Events of earlier epochs that were dropped, by this handle and all those before it.
    var staleEventCount: Int { get }

    /// Ends this handle's epoch, since the domain was resumed or restored, and opens a handle for the next one.
    ///
    /// From the moment this is called every other call on this handle throws `.stale`, a wait that is under way
    /// included, and its descriptor is readable for good. Events that were not returned yet are counted and dropped.
    /// A restriction goes over to the new handle. Whoever calls it again gets the same new handle; when opening it
    /// failed, the next call tries again.
    func successorAfterResume() throws(EventChannelError) -> any EventChannelBackend
}
